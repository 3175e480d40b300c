//! The integration tests, one binary: the house rules, and the program as its users meet it.

mod crash;
mod cuts;
mod docs;
mod journal;
mod outside;
mod scenarios;
mod tidy;
