//! Preview: what would be sent, and what the guards say of it.
//!
//! In: jobs and the preflight findings. Out: rows, counts and a forecast. Must not: touch the network or print.
