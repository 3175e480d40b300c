//! The rules of the daily limits: how many, when a day turns, what counts, what a refusal looks like. Pure.
//!
//! In: what the plan says ([`DailySettings`]), times at which requests left. Out: [`DailyRules`]: until when a request counts, and
//! whether one more may leave. Must not: keep time or remember what was sent; the journal does, and where there is none,
//! a [`Book`].
//!
//! Microsoft names the limits and not the hour at which the day turns. Unless the plan knows better, a request counts for
//! 24 hours: a limit that holds in every 24 hours holds in every calendar day, whatever its zone.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::settings::DailySettings;
use crate::catalog::{DAILY, DailyLimit};

/// What is left to people in the portal, unless the plan says otherwise.
const DEFAULT_RESERVE_PERCENT: u8 = 10;

/// The service may count a request later than it left here: it is given up after 100 seconds.
const MARGIN: SignedDuration = SignedDuration::from_secs(120);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Words by which a refusal may be one of the daily limit. Nobody has published a real one; each of these is enough.
const REFUSALS: &[&str] = &[
    "daily limit",
    "daily quota",
    "daily tenant limit",
    "daily action limit",
    "limit for today",
    "quota exceeded",
    "quota has been exceeded",
    "exceeded the quota",
    "quotaexceeded",
];

/// Words of time that stand in many a refusal: with these, one of [`OF_LIMITS`] has to stand.
const OF_A_DAY: &[&str] = &["per day", "24 hours"];
const OF_LIMITS: &[&str] = &["limit", "quota", "exceed", "maximum", "too many"];

/// The statuses with which a limit may be refused.
const STATUSES: &[u16] = &[400, 403, 429];

/// How a refusal reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RefusalReading {
    /// It has nothing to do with the day.
    Other,
    /// It may be the daily limit: others have to be told the same.
    Likely,
    /// It has the words that somebody has named for it.
    Known,
}

/// When a request stops counting.
#[derive(Debug, Clone, PartialEq)]
enum DayTurn {
    /// 24 hours after it left.
    Sliding,
    /// When the day turns.
    At(Time, TimeZone),
}

/// The rules of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct DailyRules {
    /// By the place in [`DAILY`]; at least one each.
    allowances: [u32; DailyLimit::COUNT],
    turn: DayTurn,
    delete_counts_as: Vec<usize>,
    /// The words that somebody has named.
    refusals: Option<Vec<String>>,
}

impl DailyRules {
    /// `Err`: the zone that is not known.
    pub fn new(settings: &DailySettings) -> Result<Self, String> {
        let reserve = u64::from(settings.reserve_percent.unwrap_or(DEFAULT_RESERVE_PERCENT).min(99));
        let mut allowances = [1; DailyLimit::COUNT];
        for (limit, allowance) in DAILY.iter().zip(&mut allowances) {
            let named = match limit.action {
                "retire" => settings.retire,
                "wipe" => settings.wipe,
                _ => settings.delete,
            };
            let requests = u64::from(named.unwrap_or(limit.requests));
            let left = requests - (requests * reserve).div_ceil(100).min(requests);
            *allowance = u32::try_from(left).unwrap_or(u32::MAX).max(1);
        }
        let turn = match settings.turns_at {
            None => DayTurn::Sliding,
            Some(time) => {
                let zone = settings.zone.as_deref().unwrap_or("UTC");
                DayTurn::At(time, zone_named(zone).ok_or_else(|| zone.to_owned())?)
            }
        };
        let index = |name: &String| DailyLimit::index_named(name);
        let delete_counts_as = match &settings.delete_counts_as {
            Some(names) => names.iter().filter_map(index).collect(),
            None => {
                DAILY.iter().flat_map(|limit| limit.sets_off).filter_map(|name| DailyLimit::index_named(name)).collect()
            }
        };
        let lower = |words: &Vec<String>| words.iter().map(|word| word.to_lowercase()).collect();
        let refusals = settings.refusals.as_ref().map(lower);
        Ok(Self { allowances, turn, delete_counts_as, refusals })
    }

    /// How many a day this run may send, by the place in [`DAILY`].
    pub fn allowance(&self, limit: usize) -> u32 {
        self.allowances.get(limit).copied().unwrap_or(1)
    }

    /// The allowances that one request of an action uses up, its own first.
    pub fn uses(&self, limit: usize) -> impl Iterator<Item = usize> + '_ {
        let sets_off = DAILY.get(limit).is_some_and(|limit| !limit.sets_off.is_empty());
        let more = self.delete_counts_as.iter().copied().filter(move |_| sets_off);
        std::iter::once(limit).chain(more)
    }

    /// Until when a request counts that left at that time.
    pub fn counts_until(&self, left: Timestamp) -> Timestamp {
        // Just before the turn it may be counted on either side of it.
        let late = left.checked_add(MARGIN).unwrap_or(Timestamp::MAX);
        let until = match &self.turn {
            DayTurn::Sliding => late.checked_add(DAY).ok(),
            DayTurn::At(time, zone) => turn_after(late, *time, zone),
        };
        until.unwrap_or(Timestamp::MAX)
    }

    /// Until when nothing more makes sense after the service has said no at that time.
    pub(super) fn paused_until(&self, refused: Timestamp) -> Timestamp {
        match &self.turn {
            DayTurn::Sliding => refused.checked_add(DAY).unwrap_or(Timestamp::MAX),
            DayTurn::At(time, zone) => turn_after(refused, *time, zone).unwrap_or(Timestamp::MAX),
        }
    }

    /// Whether that is what a service says whose daily limit is used up.
    pub(super) fn read_refusal(
        &self,
        status: Option<u16>,
        code: Option<&str>,
        message: Option<&str>,
    ) -> RefusalReading {
        let said = [code, message].into_iter().flatten().map(str::to_lowercase).collect::<Vec<_>>();
        let has = |word: &str| said.iter().any(|said| said.contains(word));
        let any = |words: &[&str]| words.iter().any(|word| has(word));
        match &self.refusals {
            Some(words) if words.iter().any(|word| has(word)) => RefusalReading::Known,
            None if status.is_some_and(|status| STATUSES.contains(&status))
                && (any(REFUSALS) || (any(OF_A_DAY) && any(OF_LIMITS))) =>
            {
                RefusalReading::Likely
            }
            _ => RefusalReading::Other,
        }
    }
}

/// The zone of that name, if this machine knows it.
pub(crate) fn zone_named(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

fn turn_after(at: Timestamp, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    let mut date = at.to_zoned(zone.clone()).date();
    // Tomorrow's is always later; a zone may skip or repeat an hour today.
    for _ in 0..3 {
        let turn = date.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp();
        if turn > at {
            return Some(turn);
        }
        date = date.tomorrow().ok()?;
    }
    None
}
