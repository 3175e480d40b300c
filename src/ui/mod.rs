//! What a person at the terminal sees.
//!
//! In: events, previews, outcomes. Out: a bar, lines, tables, a question. Must not: decide anything about a run.
