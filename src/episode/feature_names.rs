//! Former names of router features, which older recordings, stores and policy files still have.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// Renamed features: the name as first published, and the current one.
const RENAMED: [(&str, &str); 13] = [
    ("glimpse.first_top", "draft.first_probability"),
    ("glimpse.sign_mean_entropy", "draft.symbol_mean_entropy"),
    ("glimpse.sign_max_entropy", "draft.symbol_max_entropy"),
    ("glimpse.sign_min_logprob", "draft.symbol_min_logprob"),
    ("glimpse.whole", "draft.complete"),
    ("glimpse.uses", "draft.numbers_used"),
    ("glimpse.skips", "draft.numbers_skipped"),
    ("glimpse.jumps", "draft.number_jump"),
    ("glimpse.goes_on", "draft.uses_last_result"),
    ("glimpse.words_known", "draft.words_seen"),
    ("glimpse.repeats", "draft.repeats_trace"),
    ("last.first_top", "last.first_probability"),
    ("large.unread", "large.unread_length"),
];

/// Renamed prefixes, likewise, of all other features.
const RENAMED_PREFIXES: [(&str, &str); 2] = [("glimpse.", "draft."), ("story.", "words.")];

/// The current name of a feature that a file names.
pub(crate) fn current_name(stored: &str) -> String {
    if let Some((_, current)) = RENAMED.iter().find(|(former, _)| *former == stored) {
        return (*current).to_owned();
    }
    let renamed = RENAMED_PREFIXES
        .iter()
        .find_map(|(former, current)| Some((current, stored.strip_prefix(former)?)));
    renamed.map_or_else(|| stored.to_owned(), |(prefix, suffix)| format!("{prefix}{suffix}"))
}

/// The current form of a prefix of feature names that the user names.
pub(crate) fn current_prefix(prefix: &str) -> String {
    let family = RENAMED_PREFIXES
        .iter()
        .find(|(former, _)| former.strip_suffix('.').is_some_and(|family| family == prefix));
    match family {
        Some((_, current)) => current.trim_end_matches('.').to_owned(),
        None => current_name(prefix),
    }
}

/// The name under which a feature was first published. Fingerprints are computed over these, so that
/// a rename leaves the fingerprints of existing policies and calibrations as they are.
pub(crate) fn first_published_name(current: &str) -> String {
    if let Some((former, _)) = RENAMED.iter().find(|(_, name)| *name == current) {
        return (*former).to_owned();
    }
    let renamed = RENAMED_PREFIXES
        .iter()
        .find_map(|(former, prefix)| Some((former, current.strip_prefix(prefix)?)));
    renamed.map_or_else(|| current.to_owned(), |(prefix, suffix)| format!("{prefix}{suffix}"))
}

/// Reads values by feature name, under the current names.
pub(super) fn deserialize_values<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, f64>, D::Error> {
    struct ValuesVisitor;

    impl<'de> Visitor<'de> for ValuesVisitor {
        type Value = BTreeMap<String, f64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map from feature names to numbers")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = BTreeMap::new();
            while let Some((name, value)) = map.next_entry::<String, f64>()? {
                values.insert(current_name(&name), value);
            }
            Ok(values)
        }
    }

    deserializer.deserialize_map(ValuesVisitor)
}

/// Reads a list of feature names, under the current names.
pub(crate) fn deserialize_names<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    Ok(Vec::<String>::deserialize(deserializer)?.iter().map(|n| current_name(n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::episode::{Event, EventKind};

    #[test]
    fn former_and_current_names_map_to_each_other() {
        for (former, current) in [
            ("glimpse.whole", "draft.complete"),
            ("glimpse.min_logprob", "draft.min_logprob"),
            ("last.first_top", "last.first_probability"),
            ("story.07", "words.07"),
            ("digits.last.ones.3", "digits.last.ones.3"),
            ("large.unread", "large.unread_length"),
        ] {
            assert_eq!(current_name(former), current);
            assert_eq!(current_name(current), current);
            assert_eq!(first_published_name(current), former);
        }
    }

    #[test]
    fn former_prefixes_map_to_the_current_ones() {
        for (former, current) in [("story", "words"), ("glimpse.", "draft."), ("last", "last")] {
            assert_eq!(current_prefix(former), current);
        }
    }

    #[test]
    fn an_event_with_former_names_opens_under_the_current_ones() {
        let stored = r#"{"schema":5,"at_ms":7,"event":"decided","step":0,
            "features":{"glimpse.length":4.0,"glimpse.whole":1.0,"story.03":2.0,"trace.step":0.0},
            "p_large":0.3,"threshold":0.5,"propensity":1.0,"choice":"small","by":{"rule":"entropy"}}"#;
        let event: Event = serde_json::from_str(stored).unwrap();
        let EventKind::Decided { features, .. } = &event.kind else { panic!("{event:?}") };
        let names: Vec<&str> = features.keys().map(String::as_str).collect();
        assert_eq!(names, ["draft.complete", "draft.length", "trace.step", "words.03"]);
        let written = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&written).unwrap(), event);
    }
}
