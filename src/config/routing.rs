//! [`Routing`]: which model writes the next step.

use serde::{Deserialize, Serialize};

use super::draft_length::DraftLength;

/// Which model writes the next step, and how that is decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routing {
    /// Name of the router (`pointsman run --help` lists them).
    pub router: String,
    /// For the router `policy`: `builtin:tiny` or a file, used until a policy is promoted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Length of the draft, `draft` in files; by default the router's own.
    #[serde(rename = "draft", alias = "glimpse", skip_serializing_if = "Option::is_none")]
    pub draft_length: Option<DraftLength>,
    /// The large model writes the next step when p(large) is at least this, in [0, 1].
    pub threshold: f64,
    /// Whether the small model may write again after the large one has.
    pub switching: Switching,
    /// Randomize the choices, to learn from them, instead of comparing with the threshold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exploration: Option<Exploration>,
    /// Shadow routers: they report what they would choose, and have no influence.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shadows: Vec<Shadow>,
}

/// A router that reports what it would choose, without influence: `entropy`, or with its own threshold `entropy@0.2`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shadow {
    /// Name of the router.
    pub router: String,
    /// Its threshold in [0, 1]; by default the episode's.
    pub threshold: Option<f64>,
}

impl std::str::FromStr for Shadow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (router, threshold) = match text.split_once('@') {
            Some((router, threshold)) => (router, Some(threshold)),
            None => (text, None),
        };
        let number = |t: &str| t.trim().parse().ok().filter(|t| (0.0..=1.0).contains(t));
        let invalid = || {
            format!(
                "shadow `{text}` is neither a router's name nor a name, @ and a threshold from 0 to 1"
            )
        };
        let router = router.trim().to_owned();
        if router.is_empty() {
            return Err(invalid());
        }
        let threshold = threshold.map(|t| number(t).ok_or_else(invalid)).transpose()?;
        Ok(Self { router, threshold })
    }
}

impl TryFrom<String> for Shadow {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Shadow> for String {
    fn from(shadow: Shadow) -> Self {
        shadow.to_string()
    }
}

impl std::fmt::Display for Shadow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.threshold {
            Some(threshold) => write!(f, "{}@{threshold}", self.router),
            None => f.write_str(&self.router),
        }
    }
}

/// How the choices of an episode are randomized: its threshold is drawn once, and at each boundary, with probability
/// `coin`, a coin toss decides instead.
///
/// One random threshold for each episode logs data that supports estimates at every threshold. Coin tosses add choices
/// that no threshold makes, at a price in accuracy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exploration {
    /// Quantiles of the threshold's distribution at 0, 1/n, … 1: at least two values in [0, 1], not decreasing. Between
    /// two quantiles the distribution is uniform.
    pub quantiles: Vec<f64>,
    /// Probability of a coin toss at a boundary, in [0, 1].
    pub coin: f64,
}

impl Default for Exploration {
    /// A uniform threshold and no coin tosses.
    fn default() -> Self {
        Self { quantiles: vec![0.0, 1.0], coin: 0.0 }
    }
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            router: "confidence".into(),
            policy: None,
            draft_length: None,
            threshold: 0.5,
            switching: Switching::Reversible,
            exploration: None,
            shadows: Vec::new(),
        }
    }
}

/// Whether the choice of the large model is final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Switching {
    /// The router decides at every boundary.
    #[default]
    Reversible,
    /// Once the large model has written a step, it writes all the following ones.
    Absorbing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shadows_are_a_name_and_perhaps_a_threshold() {
        for (text, router, threshold) in [
            ("entropy", "entropy", None),
            ("gmm@0.25", "gmm", Some(0.25)),
            ("judge@1", "judge", Some(1.0)),
        ] {
            let shadow: Shadow = text.parse().unwrap();
            assert_eq!((shadow.router.as_str(), shadow.threshold), (router, threshold));
            assert_eq!(shadow.to_string(), text);
        }
        for wrong in ["", "@0.5", "entropy@", "entropy@2", "entropy@x", "entropy@NaN"] {
            let error = wrong.parse::<Shadow>().unwrap_err();
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
        }
    }
}
