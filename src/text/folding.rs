//! Hashes of texts of which there are millions.
//!
//! In: bytes. Out: a hash, the same for both cases of a letter. Must not: be used where a stranger gains by collisions.

use std::hash::Hasher;

/// Hashes ids eight bytes at a time, and letters of both cases to one value. Whoever writes a plan has no use for
/// collisions, and they would only make it slow.
#[derive(Debug, Default)]
pub(crate) struct Folding(u64);

impl Folding {
    /// The bit in which the two cases of an ASCII letter differ.
    const CASES: u64 = 0x2020_2020_2020_2020;

    /// The hash of one text.
    pub(crate) fn hash(text: &[u8]) -> u64 {
        let mut folding = Self::default();
        folding.write(text);
        folding.finish()
    }

    fn add(&mut self, bytes: u64) {
        self.0 = (self.0.rotate_left(23) ^ (bytes | Self::CASES)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        let (chunks, rest) = bytes.as_chunks();
        chunks.iter().for_each(|chunk| self.add(u64::from_le_bytes(*chunk)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        self.add(u64::from_le_bytes(last));
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
