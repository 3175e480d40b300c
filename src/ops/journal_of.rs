//! The journal that a preview asks what earlier runs have done.
//!
//! In: settings, what is left alone. Out: the journal, where there is one. Must not: make one that nobody asked for.

use super::again::Repeats;
use super::error::Error;
use crate::journal::Journal;
use crate::settings::Settings;

/// The journal, if there is one: a preview makes none, unless it was asked what earlier runs have done.
pub(super) fn journal_of(settings: &Settings, repeats: &Repeats) -> Result<Option<Journal>, Error> {
    let folder = match settings.state_dir() {
        Ok(folder) => folder,
        Err(fault) if repeats.once => return Err(Error::Usage(fault)),
        Err(_) => return Ok(None),
    };
    match repeats.once || Journal::is_at(folder) {
        true => Ok(Some(Journal::open(folder)?)),
        false => Ok(None),
    }
}
