//! A number of jobs, as it is typed.
//!
//! In: text. Out: the number, or what to write instead. Must not: judge it.

pub(super) fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "write the number of jobs, such as 24".to_owned())
}
