//! What tokens cost.

use serde::{Deserialize, Serialize};

use crate::role::PerRole;

/// Price of a token of one model, by what the model did with it; both models' are in one unit.
///
/// In files, a number where reading and writing cost the same and the cache nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "PriceForm", into = "PriceForm")]
pub struct Price {
    /// Read: of the prefix, computed, or of another model's draft, for an opinion of it.
    pub read: f64,
    /// Of the prefix, taken from the KV cache.
    pub cached: f64,
    /// PriceForm, kept or not.
    pub written: f64,
}

/// Prices per token of both models, in one unit.
pub type Prices = PerRole<Price>;

impl Price {
    /// What so many tokens cost.
    pub fn cost(self, read: usize, cached: usize, written: usize) -> f64 {
        self.read * read as f64 + self.cached * cached as f64 + self.written * written as f64
    }
}

impl From<f64> for Price {
    /// One price for reading and writing; what is in the cache is free.
    fn from(price: f64) -> Self {
        Self { read: price, cached: 0.0, written: price }
    }
}

/// A price as files have it.
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
    fn a_price_is_a_number_where_one_will_do() {
        let flat = Price::from(2.0);
        assert_eq!(serde_json::to_string(&flat).unwrap(), "2.0");
        assert_eq!(serde_json::from_str::<Price>("2").unwrap(), flat);
        let apart = Price { read: 1.0, cached: 0.25, written: 4.0 };
        let text = serde_json::to_string(&apart).unwrap();
        assert_eq!(serde_json::from_str::<Price>(&text).unwrap(), apart);
        assert_eq!(apart.cost(10, 4, 2), 10.0 + 1.0 + 8.0);
    }
}
