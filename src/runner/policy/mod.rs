//! The policies of a run, in the order in which they are heard.
//!
//! In: the parts of a run that are theirs. Out: all of them. Must not: know the dispatcher.
//!
//! Where two of them answer one event differently, the strictest wins: hold before wait before send
//! ([`super::dialogue::Admission`], [`super::dialogue::Rank`]).

use super::dialogue::Policy;
use super::mailbox::Mailbox;
use super::run::Run;

/// Declares the files of this folder, and makes one policy of each.
macro_rules! policies {
    ($($name:ident),+ $(,)?) => {
        $(mod $name;)+

        /// Each takes what is its own from the run.
        pub(super) fn all(run: &mut Run, mail: &Mailbox) -> Vec<Box<dyn Policy>> {
            vec![$(Box::new($name::policy(run, mail)) as Box<dyn Policy>),+]
        }
    };
}

#[cfg(test)]
mod tests;

policies! {
    days,
    follow_up,
    braking,
    waves,
    steps,
    retrying,
    rivals,
    absence,
    pre_send_check,
    filing,
    guarding,
    until,
}
