//! One action as data: what a row of the catalog says.
//!
//! In: nothing. Out: [`Action`], and the types of its columns. Must not: know any single action.

use super::bucket::Service;
use super::definition::Definition;
use super::parameter::Parameter;
use super::platform::Platform;
use super::route::Route;
use super::target::TargetKind;

/// How bad a mistake with this action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Risk {
    /// Nothing is lost; the device or user hardly notices.
    Harmless,
    /// Something changes, and can be changed back.
    Reversible,
    /// Data or management is lost; getting it back means work on the device.
    Destructive,
    /// Cannot be undone at all.
    Irreversible,
}

impl Risk {
    pub fn name(self) -> &'static str {
        match self {
            Self::Harmless => "harmless",
            Self::Reversible => "reversible",
            Self::Destructive => "destructive",
            Self::Irreversible => "irreversible",
        }
    }

    /// Whether a run with such a job asks for the number before it starts.
    pub fn wants_confirmation(self) -> bool {
        self >= Self::Destructive
    }
}

/// What may be done when an attempt ended without a trustworthy answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Sending it again changes nothing more: it may simply be repeated.
    Harmless,
    /// It is sent again only after a read has shown that it had no effect.
    AfterReadBack,
}

impl Repeat {
    pub fn name(self) -> &'static str {
        match self {
            Self::Harmless => "harmless",
            Self::AfterReadBack => "after_read_back",
        }
    }
}

/// What makes a second job of an action that may not be repeated the same deed as a first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OncePer {
    /// The target alone: a device that was wiped is not wiped again, whatever is to be kept of it.
    Target,
    /// Target and parameters: another licence is another deed.
    Parameters,
}

/// How a read can tell whether an action took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBack {
    /// `managementState` of the device: one of `landed` means yes, `managed` means no. A device that is gone
    /// proves nothing: it may never have been there.
    ///
    /// An entry of `deviceActionResults` under one of `action_names` that is newer than the attempt means yes too: it
    /// may be there before the state has changed.
    ///
    /// With one of the parameters in `stays` set, the device is `managed` again afterwards: then `managed` means no only
    /// as long as the device has not checked in since.
    ///
    /// `failed` and `cancelled` are the states of a device that could not do it, and of one that it was taken back from.
    ManagementState {
        landed: &'static [&'static str],
        failed: &'static str,
        cancelled: &'static str,
        action_names: &'static [&'static str],
        stays: &'static [&'static str],
    },
    /// The target is gone: yes. It is still there: no.
    Absent,
    /// `deviceActionResults` holds an entry of this `actionName` that is newer than the attempt: yes. Its absence
    /// proves nothing, because the list is known to come back empty.
    ActionResult { action_name: &'static str },
    /// The property is empty: yes. It holds something: no.
    Cleared { property: &'static str },
    /// `managementState` of every device of the user: all on their way out (or none left) means yes, all `managed`
    /// means no, a mixture cannot tell.
    UserDevices { landed: &'static [&'static str] },
    /// Every property that was sent reads back as it was sent: yes. One of them differs: no.
    AsSent,
    /// The target is gone: yes. That it is still there proves nothing: it goes some time after the answer.
    AbsentLater,
    /// The target is there again, under that path: yes. It is not: no.
    BackAt { path: &'static str },
    /// The collection that the target was to be taken out of does not list it: yes. It does: no.
    Unlisted,
    /// The collection that was to be emptied is empty: yes. It is not: no.
    Emptied,
    /// None of the licences is among `assignedLicenses`: yes. All of them are: no.
    Unlicensed,
    /// No read tells.
    Nobody,
}

/// What a 2xx answer is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Success {
    /// The service queued it; the device acts when it next checks in.
    Accepted,
    /// The effect is there when the answer comes.
    Completed,
}

/// What an action changes of who its target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alters {
    Name,
    Owner,
    /// Whether it is the company's or its user's.
    Ownership,
}

/// What it means for the row that its target was seen before and is not there any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// The wanted state holds already.
    AlreadyDone,
    /// The row asked for something that cannot happen any more.
    Failed,
}

/// One verb of the catalog.
#[derive(Debug)]
pub struct Action {
    pub name: &'static str,
    pub summary: &'static str,
    pub target: TargetKind,
    /// The first route is the default.
    pub routes: &'static [Route],
    pub parameters: &'static [Parameter],
    /// Parameters of which one at least is needed, although none of them is by itself.
    pub needs_one_of: &'static [&'static str],
    /// Those that know it; all of them where none is named.
    pub platforms: &'static [Platform],
    /// What the body always holds, as JSON; parameters are added to it.
    pub fixed_body: Option<&'static str>,
    /// What to grant in practice, least privileged first.
    pub permissions: &'static [&'static str],
    /// What to grant as well, so that a lost reply can be settled by a read; `None` where `permissions` cover it.
    pub read_permission: Option<&'static str>,
    pub risk: Risk,
    pub repeat: Repeat,
    /// What it is done only once for, where it may not be repeated.
    pub once_per: OncePer,
    pub read_back: ReadBack,
    pub success: Success,
    /// The 2xx codes that it is answered with when it succeeds; all of them where none is named.
    pub success_codes: &'static [u16],
    pub gone: Gone,
    pub service: &'static Service,
    /// Whether a tenant's Multi Admin Approval may intercept it. Then the plan's justification goes along.
    ///
    /// Source: Microsoft's page on Multi Admin Approval with the Graph API names wipe, retire and delete. The beta schema's
    /// `operationApprovalPolicyType` also has `deviceAction`, which is any action on a managed device, and by name
    /// `deviceDeprovision`, `deviceLock`, `deviceResetPasscode` and `deviceDisableActivationLock`.
    pub approvable: bool,
    /// Whether it reaches all devices of a user, or some that the request does not name: then each of them is looked at as
    /// if it were the target.
    pub on_all_devices: bool,
    /// Whether it locks its user out: it is limited as what cannot be taken back is.
    pub locks_out: bool,
    /// So that the steps behind it do not take that for another target.
    pub alters: &'static [Alters],
    /// What an operator should know before using it.
    pub notes: &'static [&'static str],
    /// Where it comes from if it is not one of ours: nobody has verified it.
    pub definition: Option<&'static Definition>,
}

impl PartialEq for Action {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.definition == other.definition
    }
}

impl Eq for Action {}

impl ReadBack {
    /// Whether a read may ever show that there was no effect.
    pub fn can_deny(self) -> bool {
        !matches!(self, Self::Nobody | Self::ActionResult { .. } | Self::AbsentLater)
    }

    /// Whether any read tells.
    pub fn tells(self) -> bool {
        self != Self::Nobody
    }
}

impl Action {
    /// Whether a run may have so many targets of it only if somebody has said how many.
    pub fn is_limited(&self) -> bool {
        self.risk.wants_confirmation() || self.locks_out
    }

    /// Whether a step after it can wait until it is confirmed: by the answer itself, or by a read.
    pub fn can_be_confirmed(&self) -> bool {
        self.success == Success::Completed || self.read_back.tells()
    }

    pub fn default_route(&self) -> &'static Route {
        &self.routes[0]
    }

    pub fn route_named(&self, name: &str) -> Option<&'static Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// Whether a status of success is one that it is known to be answered with.
    pub fn expects(&self, status: u16) -> bool {
        self.success_codes.is_empty() || self.success_codes.contains(&status)
    }

    /// Whether the plan defines it: nobody but its author has checked it.
    pub fn is_unverified(&self) -> bool {
        self.definition.is_some()
    }

    pub fn parameter_named(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}
