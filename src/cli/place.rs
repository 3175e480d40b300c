//! Where to look and whom to ask, as it is typed: the tenant, the hosts, the journal, the policy, a saved inventory.
//!
//! In: nothing. Out: the arguments that several verbs share, and the flags they stand for. Must not: judge them.

use std::path::PathBuf;

use clap::Args;

use crate::catalog::{Missing, Unresolvable};
use crate::ops::{KeptStage, TargetTenant};
use crate::settings::Flags;

/// Where targets are looked up that are not named by their id.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Looking up targets")]
pub(super) struct LookUpArguments {
    /// Look up targets in a saved inventory instead of the tenant
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
    /// What to do with rows whose target does not exist: refuse (the run), hold (the row) or done (count it as done)
    #[arg(long, value_name = "WHAT", value_parser = missing)]
    missing: Option<Missing>,
    /// Hold rows that match no target or several targets; the other rows continue
    #[arg(long, conflicts_with = "missing")]
    hold_unresolved: bool,
}

impl LookUpArguments {
    /// What becomes of rows that do not lead to one target, where that is said.
    pub(super) fn unresolvable(&self) -> Option<Unresolvable> {
        let hold = self.hold_unresolved.then_some(Unresolvable::Hold);
        hold.or(self.missing.map(Unresolvable::Missing))
    }
}

fn missing(word: &str) -> Result<Missing, String> {
    Missing::named(word).ok_or_else(|| "write refuse, hold or done".to_owned())
}

/// Which guards, beside the plan's own.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Guards")]
pub(super) struct PolicyArguments {
    /// Policy file: guards that the plan cannot loosen. Policies of the machine and of the user apply as well
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
}

/// Which tenant.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where to connect")]
pub(crate) struct ConnectionArguments {
    /// Use the simulated tenant instead of a real one; with SCENARIO, as that file describes it. The next command finds it as
    /// this one leaves it
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true)]
    pub simulate: Option<Option<PathBuf>>,
    /// Use a new simulated tenant that ends with this command
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, conflicts_with = "simulate")]
    pub simulate_fresh: Option<Option<PathBuf>>,
    #[command(flatten)]
    pub hosts: HostArguments,
    #[command(flatten)]
    pub state: StateArguments,
}

/// Which hosts. A run that goes on does so where it was begun, unless these say otherwise.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where to connect")]
pub(super) struct HostArguments {
    /// Microsoft cloud: global, usgov, usgov-dod or china
    #[arg(long, value_name = "CLOUD")]
    pub cloud: Option<String>,
    /// Address of Graph; also MUSTEROUT_GRAPH_URL
    #[arg(long, value_name = "URL")]
    pub graph_url: Option<String>,
    /// Address of the sign-in host; also AZURE_AUTHORITY_HOST
    #[arg(long, value_name = "URL")]
    pub login_url: Option<String>,
}

impl HostArguments {
    pub(super) fn flags(&self, state: &StateArguments) -> Flags {
        let Self { cloud, graph_url, login_url } = self.clone();
        Flags { cloud, graph_url, login_url, ..state.flags() }
    }
}

/// Where the journal is.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Journal")]
pub(super) struct StateArguments {
    /// Folder of the journal [default: musterout in XDG_STATE_HOME or ~/.local/state]
    #[arg(long, value_name = "FOLDER")]
    pub state_dir: Option<PathBuf>,
}

impl StateArguments {
    pub(super) fn flags(&self) -> Flags {
        Flags { state_dir: self.state_dir.clone().map(Into::into), ..Flags::default() }
    }
}

impl ConnectionArguments {
    /// `inventory`: what a tenant that stays holds.
    pub(crate) fn tenant(&self, inventory: Option<PathBuf>) -> TargetTenant {
        let kept = self.simulate.clone().map(|scenario| TargetTenant::Kept(KeptStage { scenario, inventory }));
        kept.or_else(|| self.simulate_fresh.clone().map(TargetTenant::Simulated)).unwrap_or(TargetTenant::Real)
    }

    pub(super) fn flags(&self) -> Flags {
        self.hosts.flags(&self.state)
    }
}
