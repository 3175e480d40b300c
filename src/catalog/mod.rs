//! The catalog: every action musterout knows, as data.
//!
//! In: nothing. Out: [`Action`] rows with their routes, parameters, permissions, risk and repeat-safety, read by the
//! plan (validation), the preview, the request builder, the runner's retry policy, the simulator and the help text; and
//! rows that a plan defines itself. Must not: send, parse files, or know how a row is shown. A new action is a new row in
//! `actions/`, nothing else.

mod action;
mod actions;
pub mod body;
mod bucket;
mod budget;
mod consequences;
mod daily;
mod defining;
mod definition;
mod disguise;
mod id;
mod limits;
mod missing;
mod own_path;
mod parameter;
mod route;
mod secrets;
mod target;

pub use action::{Action, Alters, Gone, OncePer, ReadBack, Repeat, Risk, Success};
pub use actions::ACTIONS;
pub use bucket::{
    Access, Allowance, Bucket, DIRECTORY, ENTRA_DEVICES, INTUNE_DEVICES, INTUNE_OTHER, SERVICES, Service, TenantSize,
};
pub use budget::{Budget, OwnAllowances, Terms};
pub use consequences::{CONSEQUENCES, Consequence, Given, Property, Test as ConsequenceTest};
pub use daily::{DAILY, DailyLimit};
pub use defining::{defined, is_name};
pub use definition::{DefinedKind, DefinedParameter, Definition, METHODS, VERSIONS};
pub use disguise::{decoded, disguised};
pub use id::{
    ENTRA_DEVICE, ENTRA_OBJECT, GROUP, IdKind, IdName, MANAGED_DEVICE, MANAGED_DEVICE_BY_ID, MEMBER,
    MEMBERS_OF_GROUP_NAMED, PRINCIPAL_NAME, SELECTORS, Selector, SelectorForm, USER, USER_BY_ID, USER_BY_MAIL,
    USER_BY_NAME, fold, id_named, kind_behind, link_to, selector_named,
};
pub use limits::Limits;
pub use missing::{Missing, Unresolvable};
pub use parameter::{Parameter, ParameterKind};
pub use route::{Method, Route, Version};
pub use secrets::{Bearing, Proof, SECRETS, Secret, SecretRow, bearing};
pub use target::TargetKind;
