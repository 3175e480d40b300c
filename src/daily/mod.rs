//! The limits of a day: how many, when a day turns, what counts, what a refusal looks like. Pure.
//!
//! In: what a plan or a policy says ([`DailySettings`]), when requests left, answers of the service. Out: until when a request
//! counts, whether one more may leave, how a plan spreads over days. Must not: keep time, or remember what was sent beyond
//! this process; the journal's ledger does.
//!
//! The table of the limits themselves is the catalog's.

mod account;
mod agreement;
mod book;
mod left;
mod rules;
mod settings;
mod spread;
mod suspicion;

#[cfg(test)]
mod tests;

pub use self::account::DailyAccount;
pub(crate) use self::account::Take;
pub(crate) use self::agreement::SameRefusals;
pub(crate) use self::book::{Book, Ground, UsedUp};
pub use self::left::{DailyTerms, Later};
pub(crate) use self::left::{LeftToday, Refused, why};
pub use self::rules::DailyRules;
pub(crate) use self::rules::zone_named;
pub use self::settings::DailySettings;
pub(crate) use self::spread::{Day, Spread, spread};
pub(crate) use self::suspicion::{Advice, Suspicion};
