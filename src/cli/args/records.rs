//! What can be typed after `report` and `runs`.
//!
//! In: nothing. Out: clap definitions. Must not: read the environment, or validate what `ops` judges.

use clap::Args;

use crate::cli::form::{PlainForm, ReportForm};
use crate::cli::place::StateArguments;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReportArguments {
    /// The run: its id, the beginning of it, or `latest`
    #[arg(default_value = "latest")]
    pub run: String,
    /// How the rows are written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: ReportForm,
    #[command(flatten)]
    pub state: StateArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RunsArguments {
    /// Remove runs in which nothing is open and that began more than this many days ago
    #[arg(long, value_name = "DAYS", num_args = 0..=1, require_equals = true, default_missing_value = "30")]
    pub prune: Option<u16>,
    /// Write one run alone into a new database, for an auditor
    #[arg(long, value_names = ["RUN", "FILE"], num_args = 2, conflicts_with = "prune")]
    pub export: Option<Vec<String>>,
    /// How the result is written to stdout
    #[arg(long = "format", value_enum, default_value_t, value_name = "FORM")]
    pub form: PlainForm,
    #[command(flatten)]
    pub state: StateArguments,
}
