//! Guards: rules that refuse a run or hold single jobs before anything is sent.
//!
//! In: the jobs of a plan and the time. Out: findings. Must not: send, ask, or print.

pub mod census;
pub mod contradictions;
pub mod judge;
pub mod overrides;
pub mod preflight;
pub mod protected;
pub mod rules;
pub mod window;
