//! The policy's network: one part predicts errors of the draft, the other is an actor-critic.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Names of the tensors in a policy file, in the order of [`Network::tensors`]. `slip` is the error model,
/// `choice` the actor-critic.
pub(super) const TENSORS: [&str; 12] = [
    "slip.0.weight",
    "slip.0.bias",
    "slip.1.weight",
    "slip.1.bias",
    "slip.heads.weight",
    "slip.heads.bias",
    "choice.0.weight",
    "choice.0.bias",
    "choice.1.weight",
    "choice.1.bias",
    "choice.heads.weight",
    "choice.heads.bias",
];

/// Output of the actor-critic, one row for each input.
pub struct ActorCriticOutput {
    /// Logit of p(large). Shape (n).
    pub logit: Tensor,
    /// Expected accuracy if the small or the large model writes the next step. If the task set can verify
    /// steps, less the potential (see `training`). Shape (n, 2).
    pub accuracy: Tensor,
    /// Expected cost from here on, likewise, as a share of always-large's mean cost of an episode.
    /// Shape (n, 2).
    pub cost: Tensor,
}

/// Two hidden layers of rectified units, and linear heads.
struct Mlp([Var; 6]);

impl Mlp {
    fn new(sizes: [usize; 3], rng: &mut ChaCha8Rng) -> Result<Self> {
        // candle's initialization cannot be seeded on a CPU.
        let mut layer = |from: usize, to: usize| {
            let bound = (6.0 / from as f32).sqrt();
            let weights = (0..from * to).map(|_| rng.random_range(-bound..bound)).collect();
            Var::from_vec::<_, f32>(weights, (to, from), &Device::Cpu)
        };
        let zeros = |shape: &[usize]| Var::zeros(shape, DType::F32, &Device::Cpu);
        let [inputs, width, heads] = sizes;
        Ok(Self([
            layer(inputs, width)?,
            zeros(&[width])?,
            layer(width, width)?,
            zeros(&[width])?,
            zeros(&[heads, width])?,
            zeros(&[heads])?,
        ]))
    }

    fn from_tensors(tensors: [Tensor; 6], inputs: usize, heads: usize) -> Result<Self> {
        let width = tensors[0].dim(0)?;
        let shapes: [&[usize]; 6] =
            [&[width, inputs], &[width], &[width, width], &[width], &[heads, width], &[heads]];
        for (tensor, shape) in tensors.iter().zip(shapes) {
            if tensor.dims() != shape || tensor.dtype() != DType::F32 {
                candle_core::bail!(
                    "a tensor has the shape {:?}, not {shape:?} of f32",
                    tensor.dims()
                );
            }
        }
        let [a, b, c, d, e, f] = tensors;
        let var = |t: Tensor| Var::from_tensor(&t);
        Ok(Self([var(a)?, var(b)?, var(c)?, var(d)?, var(e)?, var(f)?]))
    }

    fn forward(&self, inputs: &Tensor) -> Result<Tensor> {
        self.forward_with(inputs, Ok)
    }

    /// The same with `dropout` applied to the units of each hidden layer.
    fn forward_with(
        &self,
        inputs: &Tensor,
        mut dropout: impl FnMut(Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let layer =
            |x: &Tensor, at: usize| x.matmul(&self.0[at].t()?)?.broadcast_add(&self.0[at + 1]);
        let hidden = dropout(layer(inputs, 0)?.relu()?)?;
        let hidden = dropout(layer(&hidden, 2)?.relu()?)?;
        layer(&hidden, 4)
    }
}

impl Mlp {
    /// The first head, of shape (n, 1), and its gradient with respect to `inputs`, both of shape
    /// (n, number of inputs). The weights are constants here, so that the backward pass needs two products
    /// only.
    fn gradients(&self, inputs: &Tensor) -> Result<(Tensor, Tensor)> {
        let weight = |at: usize| self.0[at].as_detached_tensor();
        let layer =
            |x: &Tensor, at: usize| x.matmul(&weight(at).t()?)?.broadcast_add(&weight(at + 1));
        let first = layer(inputs, 0)?.relu()?;
        let second = layer(&first, 2)?.relu()?;
        let head = layer(&second, 4)?.narrow(1, 0, 1)?;
        // A rectified unit passes the gradient on where it is active.
        let active = |hidden: &Tensor| hidden.gt(0.0)?.to_dtype(DType::F32);
        let by_second = active(&second)?.broadcast_mul(&weight(4).narrow(0, 0, 1)?)?;
        let by_first = by_second.matmul(&weight(2))?.mul(&active(&first)?)?;
        Ok((head, by_first.matmul(&weight(0))?))
    }
}

/// The network. Its heads are initialized to zero, so that p(large) is 1/2 everywhere.
///
/// The error model is separate from the actor-critic, because its labels are clean if the task set can
/// verify steps, while returns are noisy: in shared layers, the noise would drown the labels.
pub struct Network {
    error_model: Mlp,
    actor_critic: Mlp,
}

impl Network {
    /// Units of a hidden layer of the error model and of the actor-critic.
    pub const WIDTHS: [usize; 2] = [256, 64];
    /// Outputs of the actor-critic.
    const HEADS: usize = 5;
    /// Inputs of the actor-critic besides the features: the predicted error and λ.
    const EXTRA_INPUTS: usize = 2;

    /// A network of `features` inputs, with weights drawn with `seed` (He et al. 2015, uniform).
    ///
    /// # Errors
    /// If candle fails.
    pub fn new(features: usize, seed: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let [error_model, actor_critic] = Self::WIDTHS;
        Ok(Self {
            error_model: Mlp::new([features, error_model, 1], &mut rng)?,
            actor_critic: Mlp::new(
                [features + Self::EXTRA_INPUTS, actor_critic, Self::HEADS],
                &mut rng,
            )?,
        })
    }

    /// A network of these tensors, in the order of a policy file.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn from_tensors(tensors: [Tensor; 12], features: usize) -> Result<Self> {
        let [a, b, c, d, e, f, actor_critic @ ..] = tensors;
        Ok(Self {
            error_model: Mlp::from_tensors([a, b, c, d, e, f], features, 1)?,
            actor_critic: Mlp::from_tensors(
                actor_critic,
                features + Self::EXTRA_INPUTS,
                Self::HEADS,
            )?,
        })
    }

    /// The weights of the error model, for an optimizer.
    pub fn error_vars(&self) -> Vec<Var> {
        self.error_model.0.to_vec()
    }

    /// The weights of the actor-critic, for an optimizer.
    pub fn actor_critic_vars(&self) -> Vec<Var> {
        self.actor_critic.0.to_vec()
    }

    /// The weights, by their names in a policy file.
    pub fn tensors(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        TENSORS
            .into_iter()
            .zip(self.error_model.0.iter().chain(&self.actor_critic.0).map(Var::as_tensor))
    }

    /// Logits of the probability that the small model's draft is a step error, for standardized `features`
    /// of shape (n, number of features). Shape (n). 0 unless it was trained on a task set that can verify
    /// steps.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn predict_error(&self, features: &Tensor) -> Result<Tensor> {
        self.error_model.forward(features)?.squeeze(1)
    }

    /// The same during training: a fifth of the hidden units, drawn with `rng`, is dropped.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn predict_error_with_dropout(
        &self,
        features: &Tensor,
        rng: &mut impl RngCore,
    ) -> Result<Tensor> {
        // Of 256 bytes.
        const DROPPED: u8 = 51;
        let kept = 256.0 / (256.0 - f32::from(DROPPED));
        // candle's dropout cannot be seeded on a CPU.
        let dropout = |units: Tensor| {
            let mut bytes = vec![0; units.elem_count()];
            rng.fill_bytes(&mut bytes);
            let mask: Vec<f32> =
                bytes.into_iter().map(|b| if b < DROPPED { 0.0 } else { kept }).collect();
            let mask = Tensor::from_vec(mask, units.shape(), &Device::Cpu)?;
            units * mask
        };
        self.error_model.forward_with(features, dropout)?.squeeze(1)
    }

    /// Output of the actor-critic for standardized features, their logits by [`Self::predict_error`], and
    /// a λ each (see [`super::LAMBDA_GRID`]), both of shape (n).
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn evaluate_choices(
        &self,
        features: &Tensor,
        error_logit: &Tensor,
        lambda_z: &Tensor,
    ) -> Result<ActorCriticOutput> {
        let heads = self.actor_critic.forward(&Self::actor_critic_inputs(
            features,
            error_logit,
            lambda_z,
        )?)?;
        Ok(ActorCriticOutput {
            logit: heads.narrow(1, 0, 1)?.squeeze(1)?,
            accuracy: heads.narrow(1, 1, 2)?,
            cost: heads.narrow(1, 3, 2)?,
        })
    }

    /// Gradient of p(large) with respect to the features, through the predicted error too, at `features` of
    /// shape (n, number of features) and λ of shape (n). Shape (n, number of features).
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn gradients(&self, features: &Tensor, lambda_z: &Tensor) -> Result<Tensor> {
        let (error_logit, by_features) = self.error_model.gradients(features)?;
        let inputs = Self::actor_critic_inputs(features, &error_logit.squeeze(1)?, lambda_z)?;
        let (logit, by_inputs) = self.actor_critic.gradients(&inputs)?;
        let p = candle_nn::ops::sigmoid(&logit)?;
        let by_inputs = by_inputs.broadcast_mul(&(&p * (1.0 - &p)?)?)?;
        let n = features.dim(1)?;
        // A clamped logit has no gradient.
        let active = error_logit.abs()?.lt(ERROR_LOGIT_LIMIT)?.to_dtype(DType::F32)?;
        let by_error_logit = (by_inputs.narrow(1, n, 1)? * (active / ERROR_LOGIT_SCALE)?)?;
        by_inputs.narrow(1, 0, n)? + by_features.broadcast_mul(&by_error_logit)?
    }

    /// Inputs of the actor-critic.
    fn actor_critic_inputs(
        features: &Tensor,
        error_logit: &Tensor,
        lambda_z: &Tensor,
    ) -> Result<Tensor> {
        let error_logit =
            (error_logit.clamp(-ERROR_LOGIT_LIMIT, ERROR_LOGIT_LIMIT)? / ERROR_LOGIT_SCALE)?;
        Tensor::cat(&[features, &error_logit.unsqueeze(1)?, &lambda_z.unsqueeze(1)?], 1)
    }
}

/// The error logit is clamped to this, and divided by [`ERROR_LOGIT_SCALE`], to be on the scale of the
/// standardized features.
const ERROR_LOGIT_LIMIT: f32 = 8.0;
const ERROR_LOGIT_SCALE: f64 = 3.0;
