//! In which form results are written to stdout.
//!
//! In: nothing. Out: the words that `--format` takes. Must not: write anything.

use clap::ValueEnum;

/// How results are written to stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    #[default]
    Human,
    Json,
    Csv,
}

/// As [`Form`], where CSV makes no sense.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum PlainForm {
    #[default]
    Human,
    Json,
}

impl From<PlainForm> for Form {
    fn from(form: PlainForm) -> Self {
        match form {
            PlainForm::Human => Self::Human,
            PlainForm::Json => Self::Json,
        }
    }
}

/// How the rows of a run are written to stdout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportForm {
    #[default]
    Csv,
    /// One object per line
    Json,
}
