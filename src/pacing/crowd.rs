//! How many requests may be out at once.
//!
//! In: the most that the run may have, answers with how long they took. Out: the number. Must not: pace; a crowd grows
//! only while more than half of it is out, so that it is never much larger than the pace can use.
//!
//! Twice as many after a round in which they were out and came back well, and one more once the service has been in trouble;
//! half as many after an answer that shows it is, once for each round.

use std::time::Duration;

use tokio::time::Instant;

/// What a crowd begins with. At ten requests a second and a second for each, it is more than enough.
const FIRST: u16 = 16;
/// It does not shrink below this: slow, but alive.
const FEWEST: f64 = 4.0;
/// Answers that take so many times what they took when few were out show that more would only queue up there.
const QUEUEING: u32 = 4;

#[derive(Debug)]
pub(crate) struct Crowd {
    most: f64,
    size: f64,
    shrunk: Option<Instant>,
    /// The quickest answer.
    quickest: Option<Duration>,
}

impl Crowd {
    /// `adapts`: otherwise it is as large as it may be from the beginning, and stays so.
    pub(crate) fn new(most: u16, adapts: bool) -> Self {
        let size = if adapts { most.min(FIRST) } else { most };
        Self { most: f64::from(most.max(1)), size: f64::from(size.max(1)), shrunk: None, quickest: None }
    }

    pub(crate) fn size(&self) -> usize {
        self.size as usize
    }

    /// An answer came to a request that left at `sent`, when so many were out with it.
    pub(crate) fn came_back(&mut self, sent: Instant, answered: Instant, out: usize) {
        let took = answered.saturating_duration_since(sent);
        let quickest = *self.quickest.insert(self.quickest.map_or(took, |quickest| quickest.min(took)));
        if out * 2 > self.size() && took <= quickest.max(Duration::from_millis(50)) * QUEUEING {
            let more = if self.shrunk.is_some() { 1.0 / self.size } else { 1.0 };
            self.size = (self.size + more).min(self.most);
        }
    }

    /// An answer came that shows a service in trouble.
    pub(crate) fn trouble(&mut self, sent: Instant, now: Instant) {
        if self.shrunk.is_none_or(|shrunk| sent > shrunk) {
            self.size = (self.size / 2.0).max(FEWEST).min(self.size);
            self.shrunk = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(start: Instant, at: f64) -> Instant {
        start + Duration::from_secs_f64(at)
    }

    #[test]
    fn it_grows_while_it_is_in_the_way_and_only_then() {
        let start = Instant::now();
        let mut crowd = Crowd::new(64, true);
        for _ in 0..1_000 {
            crowd.came_back(start, second(start, 1.0), 3);
        }
        assert_eq!(crowd.size(), 16, "the pace holds them back");
        for _ in 0..16 {
            crowd.came_back(start, second(start, 1.0), 64);
        }
        assert_eq!(crowd.size(), 32);
        crowd.trouble(start, second(start, 1.0));
        for _ in 0..16 {
            crowd.came_back(start, second(start, 1.0), 64);
        }
        assert_eq!(crowd.size(), 16, "one more for a round");
        for _ in 0..10_000 {
            crowd.came_back(start, second(start, 1.0), 64);
        }
        assert_eq!(crowd.size(), 64);
    }

    #[test]
    fn it_does_not_grow_where_answers_only_queue_up() {
        let start = Instant::now();
        let mut crowd = Crowd::new(64, true);
        crowd.came_back(start, second(start, 0.5), 1);
        for _ in 0..1_000 {
            crowd.came_back(start, second(start, 2.1), 16);
        }
        assert_eq!(crowd.size(), 16);
    }

    #[test]
    fn it_halves_once_for_each_round_of_trouble_and_stays_alive() {
        let start = Instant::now();
        let mut crowd = Crowd::new(64, true);
        for _ in 0..16 {
            crowd.trouble(start, second(start, 1.0));
        }
        assert_eq!(crowd.size(), 8);
        for round in 2..10 {
            crowd.trouble(second(start, f64::from(round)), second(start, f64::from(round) + 0.5));
        }
        assert_eq!(crowd.size(), 4);
        assert_eq!(Crowd::new(2, true).size(), 2);
        assert_eq!(Crowd::new(64, false).size(), 64);
    }
}
