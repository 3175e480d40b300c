//! Settings: flags and environment, validated.
//!
//! In: flags, environment variables. Out: [`Settings`]. The only reader of the environment. Must not: open connections.
