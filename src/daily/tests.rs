//! Tests of the daily limits as rules and counts.

use std::collections::VecDeque;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::rules::RefusalReading;
use super::*;

const DAY: SignedDuration = SignedDuration::from_hours(24);

const RETIRE: usize = 0;
const WIPE: usize = 1;
const DELETE: usize = 2;

fn rules(yaml: &str) -> DailyRules {
    DailyRules::new(&serde_yaml::from_str(yaml).unwrap()).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_tenth_is_left_to_people_and_a_delete_counts_as_all_that_it_may_set_off() {
    let rules = DailyRules::new(&DailySettings::default()).unwrap();
    assert_eq!([RETIRE, WIPE, DELETE].map(|limit| rules.allowance(limit)), [900, 450, 900]);
    assert_eq!(rules.uses(DELETE).collect::<Vec<_>>(), [DELETE, RETIRE, WIPE]);
    assert_eq!(rules.uses(RETIRE).collect::<Vec<_>>(), [RETIRE]);
}

#[test]
fn a_limit_that_the_plan_knows_better_is_taken_from_it() {
    let rules = rules("{ wipe: 7, reserve_percent: 50, delete_counts_as: [] }");
    assert_eq!([RETIRE, WIPE, DELETE].map(|limit| rules.allowance(limit)), [500, 3, 500]);
    assert_eq!(rules.uses(DELETE).collect::<Vec<_>>(), [DELETE]);
}

#[test]
fn a_day_turns_where_its_zone_says_also_when_clocks_change() {
    let rules = rules("{ turns_at: '02:30', zone: Europe/Berlin }");
    let until = |left: &str| rules.counts_until(at(left)).to_string();
    assert_eq!(until("2026-11-22T12:00:00Z"), "2026-11-23T01:30:00Z");
    assert_eq!(until("2026-11-23T01:27:59Z"), "2026-11-23T01:30:00Z");
    assert_eq!(
        until("2026-11-23T01:28:01Z"),
        "2026-11-24T01:30:00Z",
        "so close to the turn it may be on the other side"
    );
    // 02:30 does not exist on that day: clocks go from 02:00 to 03:00.
    assert_eq!(until("2026-03-28T12:00:00Z"), "2026-03-29T01:30:00Z");
    assert!(DailyRules::new(&serde_yaml::from_str("{ turns_at: '00:00', zone: Europe/Atlantis }").unwrap()).is_err());
}

#[test]
fn a_refusal_is_known_by_the_words_that_somebody_has_named_and_may_be_one_by_others() {
    let known = DailyRules::new(&DailySettings::default()).unwrap();
    let read = |status, code, message| known.read_refusal(Some(status), code, Some(message));
    for said in [
        "The Daily Limit of retire requests for this tenant has been reached.",
        "You have exceeded the maximum of 500 wipes in 24 hours.",
        "Too many wipes per day.",
    ] {
        assert_eq!([400, 403, 429].map(|status| read(status, None, said)), [RefusalReading::Likely; 3], "{said}");
        assert_eq!(read(409, None, said), RefusalReading::Other, "{said}");
    }
    assert_eq!(read(403, Some("QuotaExceeded"), ""), RefusalReading::Likely);
    for said in [
        "The device has checked in within the last 24 hours.",
        "The role was assigned less than 24 hours ago.",
        "This report runs once per day.",
        "Application is not authorized to perform this operation.",
    ] {
        assert_eq!(read(403, Some("Forbidden"), said), RefusalReading::Other, "{said}");
    }
    let own = rules("{ refusals: [Tageslimit] }");
    assert_eq!(own.read_refusal(Some(409), None, Some("Das TAGESLIMIT ist erreicht.")), RefusalReading::Known);
    assert_eq!(own.read_refusal(Some(403), None, Some("daily limit")), RefusalReading::Other);
}

#[test]
fn a_full_allowance_has_room_when_its_oldest_request_no_longer_counts() {
    let rules = rules("{ retire: 2, reserve_percent: 0, wipe: 1, delete_counts_as: [wipe] }");
    let mut book = Book::default();
    let (first, second) = (at("2026-11-22T07:00:00Z"), at("2026-11-22T08:00:00Z"));
    assert_eq!(book.take(&rules, RETIRE, first), Ok(()));
    assert_eq!(book.take(&rules, RETIRE, second), Ok(()));
    let until = at("2026-11-23T07:02:00Z");
    assert_eq!(book.take(&rules, RETIRE, second), Err(UsedUp { limit: RETIRE, until, ground: Ground::Counted }));
    assert_eq!(book.take(&rules, DELETE, second), Ok(()));
    let until = at("2026-11-23T08:02:00Z");
    assert_eq!(book.take(&rules, DELETE, second), Err(UsedUp { limit: WIPE, until, ground: Ground::Counted }));
    book.give_back(&rules, DELETE, second);
    assert_eq!(book.take(&rules, WIPE, second), Ok(()), "nothing happened, so nothing was used up");
    assert_eq!(book.take(&rules, RETIRE, at("2026-11-23T07:02:00Z")), Ok(()));
}

proptest! {
    /// The oracle looks at every stretch of 24 hours, and at every day between two turns.
    #[test]
    fn no_day_however_it_is_cut_holds_more_than_the_limit(
        steps in proptest::collection::vec((0_i64..9 * 3_600, any::<bool>()), 1..120), limit in 1_u32..6, sliding: bool, hour in 0_i8..24,
    ) {
        let turns = if sliding { String::new() } else { format!(", turns_at: '{hour:02}:00', zone: Asia/Tokyo") };
        let rules = rules(&format!("{{ retire: {limit}, reserve_percent: 0{turns} }}"));
        let mut book = Book::default();
        let mut sent: Vec<Timestamp> = Vec::new();
        let mut now = at("2026-11-22T07:00:00Z");
        for (pause, gives_back) in steps {
            now += SignedDuration::from_secs(pause);
            if book.take(&rules, RETIRE, now).is_ok() {
                if gives_back {
                    book.give_back(&rules, RETIRE, now);
                } else {
                    sent.push(now);
                }
            }
        }
        if sliding {
            let mut window = VecDeque::new();
            for time in &sent {
                window.push_back(*time);
                window.retain(|earlier| time.duration_since(*earlier) < DAY);
                prop_assert!(window.len() <= limit as usize, "{sent:?}");
            }
        } else {
            let day = |time: &Timestamp| {
                (time.to_zoned(TimeZone::get("Asia/Tokyo").unwrap()).datetime() - SignedDuration::from_hours(hour.into())).date()
            };
            for time in &sent {
                let same = sent.iter().filter(|other| day(other) == day(time)).count();
                prop_assert!(same <= limit as usize, "{sent:?}");
            }
        }
    }
}
