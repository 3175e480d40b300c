//! What can go wrong with the journal.
//!
//! In: the errors of a store and of the system. Out: one enum, with remedies in its words. Must not: be swallowed; a journal that
//! cannot be written ends the run.

use std::fmt::Display;
use std::path::PathBuf;

use super::holder::Holder;

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("the journal {} cannot be opened: {cause}", file.display())]
    Open { file: PathBuf, cause: String },
    #[error("the journal {} was written by a newer version of musterout (schema {found}, this one knows {known})", file.display())]
    Newer { file: PathBuf, found: u32, known: u32 },
    #[error("the journal cannot be written: {0}")]
    Write(String),
    #[error("the journal cannot be read: {0}")]
    Read(String),
    #[error("the journal {} lacks records that it had before: it is an older copy, it was truncated, or its write-ahead log is missing", file.display())]
    Older { file: PathBuf },
    #[error("the journal {} is not the journal that was here before", file.display())]
    Another { file: PathBuf },
    #[error("the mark of the journal, {}, cannot be read", mark.display())]
    Unmarked { mark: PathBuf },
    #[error("the state directory {} lies on a network file system ({kind}), where a journal can be lost", folder.display())]
    Network { folder: PathBuf, kind: String },
    #[error("the run cannot be exported to {}: {cause}", file.display())]
    Export { file: PathBuf, cause: String },
    #[error("{}", no_such_run(.0))]
    NoSuchRun(String),
    #[error("`{0}` is too short for the id of a run: type at least its first 8 characters")]
    TooShort(String),
    #[error("the ids of {count} runs begin with {prefix}: type more of it")]
    Ambiguous { prefix: String, count: usize },
    #[error("the journal's record of the run is damaged: {0}")]
    Damaged(String),
    #[error("this plan is already run by {0}")]
    Locked(Holder),
    #[error("the state directory {} cannot be used: {cause}", folder.display())]
    Folder { folder: PathBuf, cause: std::io::Error },
}

impl JournalError {
    pub(super) fn read(error: impl Display) -> Self {
        Self::Read(error.to_string())
    }

    pub(super) fn write(error: impl Display) -> Self {
        Self::Write(error.to_string())
    }
}

/// Nobody need have said `latest` to mean it.
fn no_such_run(run: &str) -> String {
    match run {
        "latest" => "the journal has no runs yet".into(),
        named => format!("there is no run {named} in the journal"),
    }
}
