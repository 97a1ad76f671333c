//! The policy's network: two small layers, a policy head, and heads for what each choice is worth.

use candle_core::{DType, Device, Result, Tensor, Var};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Names of the tensors in a policy file, in the order of [`Network::tensors`].
pub const TENSORS: [&str; 6] = [
    "hidden.0.weight",
    "hidden.0.bias",
    "hidden.1.weight",
    "hidden.1.bias",
    "heads.weight",
    "heads.bias",
];

/// Outputs of the heads, a row an input.
pub struct Heads {
    /// Logit of p(large). Shape (n).
    pub logit: Tensor,
    /// Expected share of right answers where the small, where the large model writes the next step;
    /// where a task set can verify steps, less the potential (see `training`).
    /// Shape (n, 2).
    pub accuracy: Tensor,
    /// Expected cost from here on, likewise, as a share of what the large model alone spends on a
    /// mean episode. Shape (n, 2).
    pub cost: Tensor,
    /// Logit of the probability that the small model's draft is wrong. Learnt beside the others where a
    /// task set can verify steps, so that the layers below learn to see it. Shape (n).
    pub slip: Tensor,
}

/// Two hidden layers of rectified units over `inputs` numbers, and linear heads of six numbers.
pub struct Network {
    tensors: [Var; 6],
}

impl Network {
    /// Units of a hidden layer.
    pub const WIDTH: usize = 128;
    /// Numbers that the heads give.
    const HEADS: usize = 6;

    /// A network with weights drawn with `seed` (He's uniform bounds); its heads begin at zero, so that it is
    /// undecided everywhere.
    ///
    /// # Errors
    /// When candle fails.
    pub fn new(inputs: usize, seed: u64) -> Result<Self> {
        // candle's own initialization cannot be seeded on a CPU.
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut layer = |from: usize, to: usize| {
            let bound = (6.0 / from as f32).sqrt();
            let weights = (0..from * to).map(|_| rng.random_range(-bound..bound)).collect();
            Var::from_vec::<_, f32>(weights, (to, from), &Device::Cpu)
        };
        let zeros = |shape: &[usize]| Var::zeros(shape, DType::F32, &Device::Cpu);
        let width = Self::WIDTH;
        Ok(Self {
            tensors: [
                layer(inputs, width)?,
                zeros(&[width])?,
                layer(width, width)?,
                zeros(&[width])?,
                zeros(&[Self::HEADS, width])?,
                zeros(&[Self::HEADS])?,
            ],
        })
    }

    /// A network of these tensors, in the order of [`TENSORS`].
    ///
    /// # Errors
    /// When the shapes do not fit together.
    pub fn from_tensors(tensors: [Tensor; 6], inputs: usize) -> Result<Self> {
        let width = tensors[0].dim(0)?;
        let shapes: [&[usize]; 6] = [
            &[width, inputs],
            &[width],
            &[width, width],
            &[width],
            &[Self::HEADS, width],
            &[Self::HEADS],
        ];
        for ((tensor, shape), name) in tensors.iter().zip(shapes).zip(TENSORS) {
            if tensor.dims() != shape || tensor.dtype() != DType::F32 {
                candle_core::bail!(
                    "{name} has the shape {:?}, not {shape:?} of f32",
                    tensor.dims()
                );
            }
        }
        let [a, b, c, d, e, f] = tensors;
        let var = |t: Tensor| Var::from_tensor(&t);
        Ok(Self { tensors: [var(a)?, var(b)?, var(c)?, var(d)?, var(e)?, var(f)?] })
    }

    /// The weights, for an optimizer.
    pub fn vars(&self) -> Vec<Var> {
        self.tensors.to_vec()
    }

    /// The weights by the names of a policy file.
    pub fn tensors(&self) -> impl Iterator<Item = (&'static str, &Tensor)> {
        TENSORS.into_iter().zip(self.tensors.iter().map(Var::as_tensor))
    }

    /// The heads' outputs for `inputs` of shape (n, number of inputs).
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn forward(&self, inputs: &Tensor) -> Result<Heads> {
        let layer = |x: &Tensor, at: usize| {
            x.matmul(&self.tensors[at].t()?)?.broadcast_add(&self.tensors[at + 1])
        };
        let hidden = layer(inputs, 0)?.relu()?;
        let hidden = layer(&hidden, 2)?.relu()?;
        let heads = layer(&hidden, 4)?;
        Ok(Heads {
            logit: heads.narrow(1, 0, 1)?.squeeze(1)?,
            accuracy: heads.narrow(1, 1, 2)?,
            cost: heads.narrow(1, 3, 2)?,
            slip: heads.narrow(1, 5, 1)?.squeeze(1)?,
        })
    }

    /// How p(large) changes with each input, at each of `inputs` of shape (n, number of inputs): the
    /// gradient of the logit's sigmoid, a row an input. The weights are constants here, so that the
    /// backward pass is two products, not the whole of an optimizer's.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn slopes(&self, inputs: &Tensor) -> Result<Tensor> {
        let weight = |at: usize| self.tensors[at].as_detached_tensor();
        let layer =
            |x: &Tensor, at: usize| x.matmul(&weight(at).t()?)?.broadcast_add(&weight(at + 1));
        let first = layer(inputs, 0)?.relu()?;
        let second = layer(&first, 2)?.relu()?;
        let logit = layer(&second, 4)?.narrow(1, 0, 1)?;
        let p = candle_nn::ops::sigmoid(&logit)?;
        let by_logit = (&p * (1.0 - &p)?)?;
        // A rectified unit hands on what it is asked where it is open.
        let open = |hidden: &Tensor| hidden.gt(0.0)?.to_dtype(DType::F32);
        let by_second = by_logit.matmul(&weight(4).narrow(0, 0, 1)?)?.mul(&open(&second)?)?;
        let by_first = by_second.matmul(&weight(2))?.mul(&open(&first)?)?;
        by_first.matmul(&weight(0))
    }
}
