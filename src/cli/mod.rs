//! The command line.
//!
//! In: arguments. Out: calls of the verbs, and an exit code. Must not: hold logic of its own.
