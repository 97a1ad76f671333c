//! Tensors as a file's header describes them.

/// A tensor as a file's header describes it.
pub(super) struct TensorHeader {
    pub(super) name: String,
    pub(super) shape: Vec<u64>,
    /// The number format, such as `F32`.
    pub(super) format: String,
    /// Bytes on disk.
    pub(super) bytes: u64,
}

impl TensorHeader {
    /// Number of elements.
    pub(super) fn elements(&self) -> u64 {
        self.shape.iter().product()
    }
}

/// Number of elements of all tensors.
pub(super) fn count_elements(tensors: &[TensorHeader]) -> u64 {
    tensors.iter().map(TensorHeader::elements).sum()
}
