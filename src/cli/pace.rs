//! How hard to work, as it is typed.
//!
//! In: nothing. Out: the arguments that `run` and `preview` share, and the choices they stand for. Must not: judge them.

use clap::Args;

use crate::catalog::StatedLimits;
use crate::ops::Choices;

/// How hard to work.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Pace")]
pub(super) struct PaceArguments {
    /// Maximum number of requests in flight [default: the plan's, or 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: Option<u16>,
    /// Share of the documented limit to leave for others [default: the plan's, or 0]
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=95))]
    pub reserve_percent: Option<u8>,
    /// Maximum attempts for one job; throttled attempts do not count [default: the plan's, or 5]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=20))]
    pub max_attempts: Option<u8>,
    /// Seconds to wait after a lost reply before trusting a read that shows no change [default: the plan's, or 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(0..=3600))]
    pub settling_seconds: Option<u16>,
    /// Disable rate limiting (servers on this machine only)
    #[arg(long)]
    pub unpaced: bool,
}

impl PaceArguments {
    pub(super) fn choices(&self) -> Choices {
        let limits = StatedLimits {
            concurrency: self.concurrency,
            reserve_percent: self.reserve_percent,
            max_attempts: self.max_attempts,
            settling_seconds: self.settling_seconds,
            ..StatedLimits::default()
        };
        Choices { limits, unpaced: self.unpaced }
    }
}
