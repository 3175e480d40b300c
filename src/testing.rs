//! What `tests/`, `benches/` and `examples/` use of the rooms, under the paths that the rooms have.
//!
//! In: the rooms. Out: their names, and no others than those that are used out there. Must not: hold code, be used in the crate.

pub mod catalog {
    pub use crate::catalog::{
        ACTIONS, Access, Action, Allowance, Bucket, Budget, INTUNE_DEVICES, INTUNE_OTHER, Method, OwnAllowances,
        Parameter, ParameterKind, Repeat, Route, SELECTORS, StatedLimits, Success, TargetKind, Terms, Unresolvable,
        Version,
    };
}

pub mod clock {
    pub use crate::clock::Clock;
}

pub mod daily {
    pub use crate::daily::{DailyAccount, DailyRules, DailySettings, DailyTerms, Later};
}

pub mod diagnostics {
    pub use crate::diagnostics::Place;
}

pub mod guard {
    pub use crate::guard::Brakes;

    pub mod breaker {
        pub use crate::guard::breaker::StopWhen;
    }

    pub mod contradictions {
        pub use crate::guard::contradictions::may_follow;
    }

    pub mod drift {
        pub use crate::guard::drift::Sighting;
    }

    pub mod lookout {
        pub use crate::guard::lookout::{PreSendCheck, SeenBy};
    }

    pub mod preflight {
        pub use crate::guard::preflight::{Hold, inspect};
    }

    pub mod waves {
        pub use crate::guard::waves::Schedule;
    }
}

pub mod identity {
    pub use crate::identity::Identity;
}

pub mod job {
    pub use crate::job::{Ids, Job, JobParts};
}

pub mod journal {
    pub use crate::journal::{Journal, JournalError, NewRun, Recorder, RunId};

    pub mod place {
        pub use crate::journal::place::{JournalPlace, MemoryPlace};
    }

    pub mod resume {
        pub use crate::journal::resume::Only;
    }
}

pub mod msgraph {
    pub mod client {
        pub use crate::msgraph::client::GraphClient;
    }

    pub mod http {
        pub use crate::msgraph::http::HttpTransport;
    }

    pub mod read_only {
        pub use crate::msgraph::read_only::ReadOnly;
    }

    pub mod request {
        pub use crate::msgraph::request::recorded;
    }

    pub mod token {
        pub use crate::msgraph::token::{Credentials, TokenSource};
    }

    pub mod transport {
        pub use crate::msgraph::transport::{Transport, TransportError, WireReply, WireRequest};
    }
}

pub mod ops {
    pub use crate::ops::{
        Again, Choices, Confirm, Error, Finished, LookUp, RecordedRun, Repeats, ResumeRequest, RunRequest, RunTask,
        SaveRequest, Start, Stay, TargetTenant, VerifyRequest, preview, prune, resume, run, runs, save, stop, take_up,
        verify,
    };

    pub mod rounds {
        pub use crate::ops::rounds::{FIRST_WAIT, Requests, RoundGround, Rounds, RoundsEnded};
    }
}

pub mod outcome {
    pub use crate::outcome::{
        Cause, Evidence, FollowUp, FollowUpRead, Outcome, Presence, Reply, Seen, Settlement, Since, Stage, Standing,
        Tally, Verdict,
    };
}

pub mod pacing {
    pub use crate::pacing::{Gates, Pacing};
}

pub mod plan {
    pub use crate::plan::{Criterion, GUARDS, PROPERTIES, Places, Plan, Pointer, Unresolved, UnresolvedStep, load};
}

pub mod preview {
    pub use crate::preview::Preview;
}

pub mod report {
    pub use crate::report::{Account, COLUMNS, ReportFile};
}

pub mod resolve {
    pub use crate::resolve::{Before, FoundRecord, Knowledge, Pool, Reading, SavedInventory, gather, resolve};
}

pub mod runner {
    pub use crate::runner::{DEFAULT_CONCURRENCY, DEFAULT_MAX_ATTEMPTS, Earlier, Ended, History, Limits, Run, run};

    pub mod event {
        pub use crate::runner::event::{Event, StopReason};
    }

    pub mod executor {
        pub use crate::runner::executor::Executor;
    }

    pub mod guards {
        pub use crate::runner::guards::Guards;
    }

    pub mod question {
        pub use crate::runner::question::WaveQuestion;
    }

    pub mod shutdown {
        pub use crate::runner::shutdown::StopRequest;
    }
}

pub mod session {
    pub use crate::session::SessionTransport;
}

pub mod settings {
    pub use crate::settings::{Environment, Flags, PolicyFile, Settings};
}

pub mod simulator {
    pub mod by_hand {
        pub use crate::simulator::by_hand::ByHand;
    }

    pub mod counts {
        pub use crate::simulator::counts::Counts;
    }

    pub mod power {
        pub use crate::simulator::power::Power;
    }

    pub mod scenario {
        pub use crate::simulator::scenario::{Scenario, Seconds, Switch, Throttle};
    }

    pub mod tenant {
        pub use crate::simulator::tenant::Tenant;
    }

    pub mod transport {
        pub use crate::simulator::transport::SimTransport;
    }

    pub mod wire {
        pub use crate::simulator::wire::{Fate, Passed, Spoil, Wire};
    }
}

pub mod ui {
    pub mod actions {
        pub use crate::ui::actions::one;
    }

    pub mod stderr {
        pub use crate::ui::stderr::Stderr;
    }

    pub mod style {
        pub use crate::ui::style::View;
    }
}
