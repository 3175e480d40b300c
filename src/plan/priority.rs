//! Which rows go first: an integer in a job of a plan or in a column, the higher the sooner.
//!
//! In: the text of `priority`. Out: the number, or nothing. Must not: change the order of rows in the report.

/// What it has to be.
pub(super) const EXPECTED: &str = "a whole number from -1000 to 1000";

/// Reads it. 0 is what rows have that say nothing.
pub(super) fn read(text: &str) -> Option<i16> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // What the library reads beyond these is nothing that people write.
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| plain && (-1_000..=1_000).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_read_and_nothing_else() {
        assert_eq!([" 5 ", "-1000", "+7", "0"].map(read), [Some(5), Some(-1_000), Some(7), Some(0)]);
        assert_eq!(["", "high", "1.5", "1001", "--1", "1e3", "99999"].map(read), [None; 7]);
    }
}
