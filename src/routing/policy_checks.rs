//! Checks of a policy file's numbers, before anything computes with them.

use candle_core::Tensor;

use super::network::Network;
use super::{Calibration, CalibrationTarget, GaussianComponent, PolicyCard};

/// The largest absolute weight. Training stays far below; with such weights no layer overflows.
const MAX_WEIGHT: f32 = 1e6;
/// The largest λ or cost of a card.
const MAX_COST: f64 = 1e36;

/// Checks the numbers of a card.
///
/// # Errors
/// The rest of a sentence that starts with the policy: the first number that is impossible.
pub(super) fn check_card(card: &PolicyCard) -> Result<(), String> {
    let scaled = card.spread.iter().all(|s| s.is_finite() && *s > 0.0)
        && card.mean.iter().all(|m| m.is_finite());
    require(scaled, "the scales of its features")?;
    let quantiles = &card.quantiles;
    let ascending = quantiles.is_sorted() && quantiles.iter().all(|q| is_probability(*q));
    require(ascending && quantiles.len() >= 2, "its quantiles of p(large)")?;
    require(is_positive(card.multiplier), "its multiplier")?;
    require(is_positive(card.cost_unit), "its unit of cost")?;
    require(card.target_cost.is_none_or(is_positive), "its target cost")?;
    let fitted = card.mixture.is_none_or(|m| is_component(&m.unsure) && is_component(&m.sure));
    require(fitted, "its mixture")?;
    require(card.calibrations.iter().all(is_calibration), "its calibrations")
}

/// Checks the weights of a network.
///
/// # Errors
/// The rest of a sentence that starts with the policy: the first tensor with an impossible number.
pub(super) fn check_weights(network: &Network) -> Result<(), String> {
    network.tensors().try_for_each(|(name, tensor)| {
        let weights = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        let weights = weights(tensor).map_err(|e| e.to_string())?;
        let wrong = weights.into_iter().find(|w| !w.is_finite() || w.abs() > MAX_WEIGHT);
        wrong.map_or(Ok(()), |weight| Err(format!("its tensor {name} has the weight {weight:e}")))
    })
}

fn require(ok: bool, what: &str) -> Result<(), String> {
    if ok { Ok(()) } else { Err(format!("{what} cannot be right")) }
}

fn is_probability(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn is_positive(value: f64) -> bool {
    value > 0.0 && value <= MAX_COST
}

fn is_component(component: &GaussianComponent) -> bool {
    is_probability(component.weight)
        && component.mean.abs() <= MAX_COST
        && is_positive(component.variance)
}

fn is_calibration(calibration: &Calibration) -> bool {
    let is_target = match calibration.target {
        CalibrationTarget::Accuracy { accuracy, confidence } => {
            is_probability(accuracy) && is_probability(confidence)
        }
        CalibrationTarget::Cost { share } => is_positive(share),
    };
    is_target
        && is_probability(calibration.threshold)
        && is_probability(calibration.accuracy)
        && (0.0..=MAX_COST).contains(&calibration.cost_share)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use candle_core::{DType, Device};
    use safetensors::SafeTensors;

    use super::*;
    use crate::routing::{Policy, load_policy};

    type Change = fn(&mut PolicyCard);

    /// The built-in policy after a change of its card.
    fn with_card(change: impl FnOnce(&mut PolicyCard)) -> Result<Policy, String> {
        let mut policy = load_policy("builtin:tiny").unwrap();
        change(&mut policy.card);
        Policy::from_bytes(&policy.to_bytes().unwrap()).map_err(|e| e.to_string())
    }

    /// The file of the built-in policy after a change of its tensors.
    fn with_tensors(change: impl FnOnce(&mut HashMap<String, Tensor>)) -> Vec<u8> {
        let bytes = load_policy("builtin:tiny").unwrap().to_bytes().unwrap();
        let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
        let mut tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
        change(&mut tensors);
        safetensors::serialize(&tensors, metadata.metadata().clone()).unwrap()
    }

    #[test]
    fn impossible_numbers_of_a_card_are_refused() {
        assert!(with_card(|_| ()).is_ok());
        let changes: [(&str, Change); 9] = [
            ("scales", |card| card.mean[0] = f32::MAX * 2.0),
            ("scales", |card| card.spread[0] = 0.0),
            ("quantiles", |card| card.quantiles[1] = 7.5),
            ("multiplier", |card| card.multiplier = -1.0),
            ("cost", |card| card.cost_unit = 0.0),
            ("target", |card| card.target_cost = Some(-1.0)),
            ("mixture", |card| card.mixture.as_mut().unwrap().sure.variance = 0.0),
            ("calibrations", |card| card.calibrations[0].threshold = -0.1),
            ("calibrations", |card| card.calibrations[0].accuracy = 1e300),
        ];
        for (what, change) in changes {
            let error = with_card(change).err().unwrap_or_else(|| panic!("{what} is accepted"));
            assert!(error.starts_with("it is not a policy file: "), "{error}");
            // JSON has no infinite number, so that one does not even parse.
            assert!(error.contains(what) || error.contains("null"), "{error}");
        }
    }

    #[test]
    fn impossible_weights_are_refused() {
        for weight in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30] {
            let bytes = with_tensors(|tensors| {
                let name = "0.choice.1.weight";
                let mut values: Vec<f32> = tensors[name].flatten_all().unwrap().to_vec1().unwrap();
                *values.last_mut().unwrap() = weight;
                let shape = tensors[name].shape().clone();
                let changed = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
                tensors.insert(name.into(), changed);
            });
            let error = Policy::from_bytes(&bytes).err().unwrap().to_string();
            assert!(error.contains("its tensor choice.1.weight has the weight"), "{error}");
        }
    }

    #[test]
    fn other_shapes_and_types_are_refused() {
        let zeros = |shape: &[usize], dtype| Tensor::zeros(shape, dtype, &Device::Cpu).unwrap();
        for tensor in [
            zeros(&[1], DType::F32),
            zeros(&[0, 0], DType::F32),
            zeros(&[], DType::F32),
            zeros(&[256, 256, 1], DType::F32),
            zeros(&[256, 256], DType::F64),
            zeros(&[256, 256], DType::U8),
        ] {
            let bytes = with_tensors(|tensors| {
                tensors.insert("0.slip.1.weight".into(), tensor);
            });
            let error = Policy::from_bytes(&bytes).err().unwrap().to_string();
            assert!(error.contains("shape"), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
        let bytes = with_tensors(|tensors| drop(tensors.remove("0.slip.1.bias")));
        let error = Policy::from_bytes(&bytes).err().unwrap().to_string();
        assert!(error.contains("it has no 0.slip.1.bias"), "{error}");
    }
}
