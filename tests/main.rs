//! The integration tests, one binary: the house rules, and the program as its users meet it.

mod docs;
mod scenarios;
mod tidy;
