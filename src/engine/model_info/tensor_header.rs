//! Tensors as a file's header describes them.

/// A tensor as a file's header describes it.
pub(super) struct TensorHeader {
    pub(super) name: String,
    pub(super) elements: u64,
    pub(super) dimensions: usize,
    /// Bytes on disk.
    pub(super) bytes: u64,
}

/// Number of elements of all tensors.
pub(super) fn count_elements(tensors: &[TensorHeader]) -> u64 {
    tensors.iter().map(|tensor| tensor.elements).sum()
}
