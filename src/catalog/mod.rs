//! The catalog: every action musterout knows, as data.
//!
//! In: nothing. Out: [`Action`] rows with their routes, parameters, permissions, risk and repeat-safety, read by the
//! plan (validation), the preview, the request builder, the runner's retry policy, the simulator and the help text; and
//! rows that a plan defines itself. Must not: send, parse files, or know how a row is shown. A new action is a new row in
//! `actions/`, nothing else.

mod action;
mod actions;
pub(crate) mod body;
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
mod own_body;
mod own_path;
mod parameter;
mod platform;
mod route;
mod secrets;
mod target;

pub use action::{Action, Repeat, Success};
pub(crate) use action::{Alters, Gone, OncePer, ReadBack, Risk};
pub use actions::ACTIONS;
pub use bucket::{Access, Allowance, Bucket, INTUNE_DEVICES, INTUNE_OTHER};
pub(crate) use bucket::{DIRECTORY, Service, TenantSize};
pub use budget::{Budget, OwnAllowances, Terms};
pub(crate) use consequences::{CONSEQUENCES, Consequence, ConsequenceProperty, ConsequenceTest};
pub(crate) use daily::{DAILY, DailyLimit};
pub(crate) use defining::defined;
pub(crate) use definition::{DefinedKind, DefinedParameter, Definition, METHODS, VERSIONS};
pub(crate) use disguise::decoded;
pub use id::SELECTORS;
pub(crate) use id::{
    ENTRA_DEVICE, ENTRA_OBJECT, GROUP, IdKind, IdName, MANAGED_DEVICE, MANAGED_DEVICE_BY_ID, MEMBER,
    MEMBERS_OF_GROUP_NAMED, PRINCIPAL_NAME, Selector, SelectorForm, USER, USER_BY_ID, USER_BY_MAIL, USER_BY_NAME, fold,
    id_named, is_name, is_parameter_name, kind_behind, link_to, selector_named,
};
pub use limits::StatedLimits;
pub(crate) use missing::Missing;
pub use missing::Unresolvable;
pub use parameter::{Parameter, ParameterKind};
pub(crate) use parameter::{is_computer_name, is_filled_in};
pub(crate) use platform::Platform;
pub use route::{Method, Route, Version};
pub(crate) use secrets::{Bearing, Proof, SECRETS, Secret, SecretRow, bearing};
pub use target::TargetKind;
