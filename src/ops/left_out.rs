//! What earlier runs have done is left out of a new one.
//!
//! In: the jobs of a plan, what earlier runs leave of them. Out: the same, with nothing counted that is done. Must not: decide what is
//! repeated; `known` does.

use std::collections::HashMap;

use crate::guard::preflight::Preflight;
use crate::job::Job;
use crate::runner::Earlier;

/// What earlier runs have done is neither sent nor counted. Returns how many were due with it.
pub(super) fn leave_out_done(preflight: &mut Preflight, jobs: &[Job], earlier: &HashMap<u32, Earlier>) -> u32 {
    let whole = preflight.due;
    for index in 0..jobs.len() {
        if matches!(earlier.get(&(index as u32)), Some(Earlier::Kept(_))) {
            preflight.leave_out(index);
        }
    }
    whole
}
