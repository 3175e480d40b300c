//! Reports: one row for every row of the plan, as CSV or JSON lines.
//!
//! In: jobs and their settlements. Out: files and strings. Must not: print, or know how a run goes.
