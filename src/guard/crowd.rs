//! Which of many things may be there more than once, told in twelve bytes for each.
//!
//! In: the hash of every one of them, equal for equal ones. Out: a [`HashCounts`] that says of each whether another may be the
//! same. Must not: call anything alone that is not: who may be in company is looked at closely by whoever asks.
//!
//! Of a million rows hardly two are the same. A table of all of them would take four times the room, and each look into
//! it would wait for memory.

/// Cells for each of them: of so many different ones, sixteen in seventeen have a cell for themselves.
const CELLS: usize = 16;
const CELLS_IN_A_WORD: usize = 32;

/// How often hashes came up, as far as two bits can tell: not, once, more than once.
#[derive(Debug)]
pub(super) struct HashCounts {
    hashes: Vec<u64>,
    words: Vec<u64>,
    /// Of the cells, whose number is a power of two.
    mask: usize,
    repeated: usize,
}

impl HashCounts {
    pub(super) fn of(hashes: impl ExactSizeIterator<Item = u64>) -> Self {
        let cells = (hashes.len().max(CELLS_IN_A_WORD) * CELLS).next_power_of_two();
        let mut crowd =
            Self { hashes: hashes.collect(), words: vec![0; cells / CELLS_IN_A_WORD], mask: cells - 1, repeated: 0 };
        for at in 0..crowd.hashes.len() {
            let (word, shift) = crowd.cell(at);
            let before = crowd.words[word] >> shift & 0b11;
            crowd.repeated += usize::from(before > 0);
            // Nothing, once, and from then on both bits.
            crowd.words[word] |= if before == 0 { 0b01 << shift } else { 0b11 << shift };
        }
        crowd
    }

    /// Whether another one may be the same as the one at that place.
    pub(super) fn has_company(&self, at: usize) -> bool {
        let (word, shift) = self.cell(at);
        self.words[word] >> shift & 0b10 != 0
    }

    /// About how many of them there are of which something came up before.
    pub(super) fn repeated(&self) -> usize {
        self.repeated
    }

    fn cell(&self, at: usize) -> (usize, u32) {
        let cell = self.hashes[at] as usize & self.mask;
        (cell / CELLS_IN_A_WORD, (cell % CELLS_IN_A_WORD * 2) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whoever_is_not_alone_is_never_called_alone(
            hashes in prop::collection::vec(prop_oneof![0..40_u64, any::<u64>()], 0..200),
        ) {
            let crowd = HashCounts::of(hashes.iter().copied());
            for (at, hash) in hashes.iter().enumerate() {
                let times = hashes.iter().filter(|other| *other == hash).count();
                prop_assert!(crowd.has_company(at) || times == 1, "{} {}", hash, times);
            }
        }
    }

    #[test]
    fn most_that_are_alone_are_known_to_be() {
        let hash = |number: u32| u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let crowd = HashCounts::of((0..10_000).map(hash));
        let doubtful = (0..10_000).filter(|at| crowd.has_company(*at)).count();
        assert!(doubtful < 1_500, "{doubtful}");
        assert!(!HashCounts::of([7].into_iter()).has_company(0));
    }
}
