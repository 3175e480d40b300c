//! The simulated tenant.
//!
//! In: a scenario and requests. Out: what Graph would answer, and counts of what happened. Must not: be reachable from anywhere but this machine.
