//! Guards: rules that refuse a run or hold single jobs before anything is sent.
//!
//! In: the jobs of a plan and the time; of a single job, who its target is. Out: findings. Must not: send, ask, or print.

pub mod drift;
pub mod lookout;
pub mod preflight;
