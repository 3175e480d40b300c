//! The verbs.
//!
//! In: settings and plans. Out: what happened. Must not: know clap.
