//! The simulated tenant.
//!
//! In: a scenario and requests. Out: what Graph would answer, and counts of what happened. Must not: be reachable from
//! anywhere but this machine.
//!
//! One core, [`tenant::Tenant`], is used twice: in process by [`transport::SimTransport`], under whatever clock tokio
//! runs, and over real HTTP by [`server::Server`]. A request is matched (`routes`), judged (`judge`), held against the
//! allowances (`throttle`), spoilt where the scenario says so (`faults`), carried out (`effects`) on what the tenant
//! holds (`inventory`), and counted (`counts`, `log`).

pub(crate) mod by_hand;
pub(crate) mod counts;
pub(crate) mod power;
pub(crate) mod scenario;
pub(crate) mod server;
pub(crate) mod tenant;
pub(crate) mod transport;
pub(crate) mod wire;

pub(crate) mod approvals;
mod batch;
mod clock;
mod context;
mod effects;
mod errors;
mod exchange;
mod faults;
mod inventory;
mod judge;
pub(crate) mod kept;
mod keys;
mod kinds;
mod late;
mod log;
mod permissions;
mod portal;
mod query;
mod quota;
mod reads;
mod resources;
mod routes;
mod shelf;
mod sign_in;
mod spoil;
mod strangers;
mod throttle;
mod units;
mod values;
mod words;

#[cfg(test)]
mod tests;
