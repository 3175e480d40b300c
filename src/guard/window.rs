//! When a run may begin, and when it may begin new targets: days and hours in a time zone.
//!
//! In: what a plan or policy says. Out: whether a moment is inside, and when the window opens next. Must not: assume a
//! zone, or call a moment inside that it cannot place.

use std::fmt;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The days as they are written, the first of the week first.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MINUTES_OF_A_DAY: u16 = 24 * 60;

/// Hours on some days of the week. They may cross midnight; such a night belongs to the day on which it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunWindow {
    days: [bool; 7],
    /// Minutes after midnight.
    from: u16,
    /// Minutes after midnight, not itself inside; not after `from`: on the next day.
    until: u16,
    zone: Box<str>,
    /// What has begun when it ends does not go on either.
    #[serde(default)]
    strict: bool,
}

impl RunWindow {
    /// `None` where there is no such zone, or an hour is none.
    pub fn new(days: [bool; 7], from: u16, until: u16, zone: &str) -> Option<Self> {
        let hours = from < MINUTES_OF_A_DAY && until <= MINUTES_OF_A_DAY && from != until;
        (hours && TimeZone::get(zone).is_ok()).then(|| Self { days, from, until, zone: zone.into(), strict: false })
    }

    #[must_use]
    pub fn strictly(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// Whether a run may begin at `now`. What cannot be placed is outside.
    pub fn contains(&self, now: Timestamp) -> bool {
        let Ok(zone) = TimeZone::get(&self.zone) else { return false };
        let local = zone.to_datetime(now);
        let minute = u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap_or(u16::MAX);
        let today = self.is_on(local.weekday());
        if self.from < self.until {
            return today && (self.from..self.until).contains(&minute);
        }
        (today && minute >= self.from) || (self.is_on(local.weekday().previous()) && minute < self.until)
    }

    fn is_on(&self, day: Weekday) -> bool {
        usize::try_from(day.to_monday_zero_offset()).is_ok_and(|day| self.days.get(day) == Some(&true))
    }

    /// The next moment at which it opens, from `now` on.
    pub(super) fn opens_after(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let today = zone.to_datetime(now).date();
        (0..=7).find_map(|days| {
            let day = today.checked_add(days.days()).ok().filter(|day| self.is_on(day.weekday()))?;
            let opening = day.at((self.from / 60).try_into().ok()?, (self.from % 60).try_into().ok()?, 0, 0);
            let opening = zone.to_timestamp(opening).ok()?;
            (opening >= now).then_some(opening)
        })
    }
}

/// `sat, sun 22:00-04:00 Europe/Berlin`.
impl fmt::Display for RunWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != [true; 7] {
            let days: Vec<_> = DAYS.iter().zip(self.days).filter(|(_, on)| *on).map(|(day, _)| *day).collect();
            write!(f, "{} ", days.join(", "))?;
        }
        let (from, until) = (self.from, self.until);
        write!(f, "{:02}:{:02}-{:02}:{:02} {}", from / 60, from % 60, until / 60, until % 60, self.zone)?;
        f.write_str(if self.strict { ", strict" } else { "" })
    }
}

/// The windows that a run under way is in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunWindows(Vec<Pane>);

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pane {
    window: RunWindow,
    lifted: Vec<Lifted>,
}

/// The actions for which an override lifts a window (none: for all), and its end.
type Lifted = (Vec<Box<str>>, Timestamp);

impl RunWindows {
    /// `lifted`: by overrides that hold.
    pub fn add(&mut self, window: RunWindow, lifted: Vec<Lifted>) {
        self.0.push(Pane { window, lifted });
    }

    /// The window that keeps that action back at `now`. `has_begun`: its target was begun while the window was open.
    pub fn keeps_back(&self, action: &str, has_begun: bool, now: Timestamp) -> Option<&RunWindow> {
        let closed = |pane: &&Pane| {
            let is_for = |actions: &[Box<str>]| actions.is_empty() || actions.iter().any(|name| **name == *action);
            let is_lifted = pane.lifted.iter().any(|(actions, until)| now < *until && is_for(actions));
            (pane.window.strict || !has_begun) && !is_lifted && !pane.window.contains(now)
        };
        self.0.iter().find(closed).map(|pane| &pane.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ZONES: [&str; 5] = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"];

    /// Walks back from the moment, minute by minute of the local clock, to where the window opened, if it did.
    fn naive(days: [bool; 7], from: u16, until: u16, zone: &str, now: Timestamp) -> bool {
        let local = TimeZone::get(zone).unwrap().to_datetime(now);
        let mut minute = local.date().at(local.hour(), local.minute(), 0, 0);
        for _ in 0..=24 * 60 {
            let of_day = minute.hour() as u16 * 60 + minute.minute() as u16;
            let opens = of_day == from && days[minute.weekday().to_monday_zero_offset() as usize];
            let shuts = of_day == until % (24 * 60);
            // Where it is open all day long, it shuts and opens at once.
            if opens || shuts {
                return opens;
            }
            minute = minute.checked_sub(1.minute()).unwrap();
        }
        false
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn membership_is_what_a_walk_through_the_minutes_says(
            days in any::<[bool; 7]>(),
            from in 0..1_440_u16,
            until in 0..=1_440_u16,
            zone in prop::sample::select(&ZONES[..]),
            now in 1_767_225_600_i64..1_830_297_600,
        ) {
            prop_assume!(from != until);
            let now = Timestamp::from_second(now).unwrap();
            let window = RunWindow::new(days, from, until, zone).unwrap();
            prop_assert_eq!(window.contains(now), naive(days, from, until, zone, now), "{} at {}", window, now);
        }

        /// It is open at the moment that it is said to open, and shut all the time until then.
        #[test]
        fn it_opens_when_it_says(
            days in any::<[bool; 7]>(),
            from in 0..1_440_u16,
            until in 0..=1_440_u16,
            now in 1_767_225_600_i64..1_830_297_600,
        ) {
            prop_assume!(from != until);
            let now = Timestamp::from_second(now).unwrap();
            let window = RunWindow::new(days, from, until, "UTC").unwrap();
            match window.opens_after(now) {
                None => prop_assert_eq!(days, [false; 7]),
                Some(opens) => {
                    prop_assert!(window.contains(opens));
                    if !window.contains(now) {
                        let half_way = (now.as_second() + opens.as_second()) / 2;
                        prop_assert!(opens == now || !window.contains(Timestamp::from_second(half_way).unwrap()));
                    }
                }
            }
        }
    }

    #[test]
    fn what_has_begun_goes_on_when_a_window_ends_unless_it_is_strict() {
        let [open, shut] = ["2026-11-20T12:30:00Z", "2026-11-20T13:00:00Z"].map(|at| at.parse().unwrap());
        let window = |strict| RunWindow::new([true; 7], 12 * 60, 13 * 60, "UTC").unwrap().strictly(strict);
        let kept_back = |strict, lifted: Option<Timestamp>, begun, now| {
            let mut windows = RunWindows::default();
            windows.add(window(strict), lifted.map(|until| (vec!["wipe".into()], until)).into_iter().collect());
            assert!(now == open || windows.keeps_back("retire", false, now).is_some(), "it is lifted for a wipe alone");
            windows.keeps_back("wipe", begun, now).is_some()
        };
        assert!(!kept_back(true, None, false, open) && kept_back(false, None, false, shut));
        assert!(!kept_back(false, None, true, shut) && kept_back(true, None, true, shut));
        let later: Timestamp = "2026-11-20T14:00:00Z".parse().unwrap();
        assert!(!kept_back(true, Some(later), false, shut) && kept_back(true, Some(later), false, later));
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let friday_night = [false, false, false, false, true, false, false];
        let window = RunWindow::new(friday_night, 22 * 60, 4 * 60, "Europe/Berlin").unwrap();
        let inside = |at: &str| window.contains(at.parse().unwrap());
        // Berlin is an hour ahead in November.
        assert!(!inside("2026-11-20T20:59:59Z") && inside("2026-11-20T21:00:00Z"));
        assert!(inside("2026-11-21T02:59:59Z") && !inside("2026-11-21T03:00:00Z"));
        assert!(!inside("2026-11-20T02:00:00Z") && !inside("2026-11-21T22:00:00Z"));
        assert_eq!(window.opens_after("2026-11-21T12:00:00Z".parse().unwrap()), "2026-11-27T21:00:00Z".parse().ok());
    }
}
