//! Guards: rules that refuse a run or hold single jobs before anything is sent.
//!
//! In: the jobs of a plan and the time. Out: findings. Must not: send, ask, or print.

pub mod filing;
pub mod preflight;
