//! What tokens cost.

use serde::{Deserialize, Serialize};

use crate::role::PerRole;

/// Prices of a token of one model, by what the model does with it. Both models' prices have the same unit.
///
/// In files this is a single number if reading and writing cost the same and cached tokens are free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "PriceForm", into = "PriceForm")]
pub struct Price {
    /// A computed token of the prefix, or a token of another model's draft that is scored.
    pub read: f64,
    /// A token of the prefix that comes from the KV cache.
    pub cached: f64,
    /// A generated token, whether it is kept or discarded.
    pub written: f64,
}

/// Prices of both models, in the same unit.
pub type Prices = PerRole<Price>;

impl Price {
    /// The cost of these numbers of tokens.
    pub fn cost(self, read: usize, cached: usize, written: usize) -> f64 {
        self.read * read as f64 + self.cached * cached as f64 + self.written * written as f64
    }
}

impl From<f64> for Price {
    /// One price for reading and writing; cached tokens are free.
    fn from(price: f64) -> Self {
        Self { read: price, cached: 0.0, written: price }
    }
}

/// A price in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum PriceForm {
    Flat(f64),
    Split { read: f64, cached: f64, written: f64 },
}

impl From<PriceForm> for Price {
    fn from(text: PriceForm) -> Self {
        match text {
            PriceForm::Flat(price) => price.into(),
            PriceForm::Split { read, cached, written } => Self { read, cached, written },
        }
    }
}

impl From<Price> for PriceForm {
    fn from(price: Price) -> Self {
        let Price { read, cached, written } = price;
        if price == Price::from(written) {
            Self::Flat(written)
        } else {
            Self::Split { read, cached, written }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uniform_price_is_a_single_number() {
        let flat = Price::from(2.0);
        assert_eq!(serde_json::to_string(&flat).unwrap(), "2.0");
        assert_eq!(serde_json::from_str::<Price>("2").unwrap(), flat);
        let split = Price { read: 1.0, cached: 0.25, written: 4.0 };
        let text = serde_json::to_string(&split).unwrap();
        assert_eq!(serde_json::from_str::<Price>(&text).unwrap(), split);
        assert_eq!(split.cost(10, 4, 2), 10.0 + 1.0 + 8.0);
    }
}
