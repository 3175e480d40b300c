//! What the guards say of a run that is under way.
//!
//! In: plan and policies as they are now, put together by whoever can read them. Out: [`GuardsNow`], by which the runner holds and
//! leaves jobs at the moment of sending. Must not: loosen what was said when the run began.

use std::collections::HashMap;

use super::protected::Protected;
use super::window::RunWindows;
use crate::outcome::Unsent;

/// All of it, each time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardsNow {
    /// What nothing is done to, whatever the action.
    pub protected: Protected,
    /// Jobs that are not sent, by index: they have left the plan, were put off, or their action is forbidden now.
    pub held: HashMap<u32, Unsent>,
    pub windows: RunWindows,
}
