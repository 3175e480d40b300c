//! The integration tests, one binary: the house rules, and the program as its users meet it.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

mod absence;
mod actions;
mod adversary;
mod approvals;
mod brakes;
mod cases;
mod crash;
mod cuts;
mod days;
mod docs;
mod docs_links;
mod endpoints;
mod escrow;
mod gates;
mod group_members;
mod histories;
mod journal;
mod links;
mod look_up;
mod moved_names;
mod nights;
mod outputs;
mod outside;
mod own_actions;
mod protected;
mod readme;
mod saved;
mod scenarios;
#[cfg(unix)]
mod signals;
mod simulate;
mod standing;
mod strict;
mod support;
mod tidy;
mod tls;
mod unknown_lists;
mod until;
mod verify;
mod week;
