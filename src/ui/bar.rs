//! The bar on a terminal, or a plain line now and then where there is none.
//!
//! In: the runner's events. Out: lines on stderr. Must not: hold the runner up; it drains in batches and draws ten times
//! a second at most.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::progress::RunProgress;
use super::stderr::Stderr;
use super::style::View;
use super::text::{shorten, width};
use crate::catalog::Budget;
use crate::runner::event::Event;

const REDRAW: Duration = Duration::from_millis(100);
const PLAIN_LINE: Duration = Duration::from_secs(5);
const A_LOOK: Duration = Duration::from_secs(60);
const BATCH: usize = 4_096;
/// Columns of a bar: at least, and where the long line stands beside it.
const NARROWEST: usize = 6;
const GOOD: usize = 20;
/// Where nobody knows how wide a terminal is.
const WIDEST: usize = 300;
/// A terminal shows `^C` behind the line: without room for it, the line would break, and stay.
const LEFT_FREE: usize = 3;
/// From this many events at once on, the run is busy and a wake-up for each event would cost more than it shows.
const BUSY: usize = 64;

/// Shows a run on a thread of its own, so that a terminal that takes nothing holds up no request. What it gives back
/// resolves when the last line is drawn.
pub(crate) fn start(events: UnboundedReceiver<Event>, stderr: Stderr, budget: Option<Budget>) -> oneshot::Receiver<()> {
    let (done, drawn) = oneshot::channel();
    // Where nothing is shown there is nothing to wait for: the events go nowhere.
    if stderr.is_silent() {
        return drawn;
    }
    let runtime = Handle::current();
    let show = move || {
        runtime.block_on(watch(events, stderr, budget));
        let _ = done.send(());
    };
    // A run that cannot be shown is still a run.
    let _ = std::thread::Builder::new().name("progress".into()).spawn(show);
    drawn
}

/// Shows a run until it has finished or its events end.
async fn watch(events: UnboundedReceiver<Event>, stderr: Stderr, budget: Option<Budget>) {
    match stderr.bar() {
        Some(bar) => {
            let mut drawing = Drawing::default();
            follow(
                events,
                budget,
                REDRAW,
                |line| stderr.say(line),
                |progress, now, last| match last {
                    true => bar.finish_and_clear(),
                    false => drawing.draw(&bar, progress, now, stderr.view()),
                },
            )
            .await;
        }
        None => {
            follow(
                events,
                budget,
                PLAIN_LINE,
                |line| stderr.say(line),
                |progress, now, _| {
                    // That a verification has begun is told; a line is news when it takes longer than a look.
                    let first = if progress.is_verifying() { A_LOOK } else { PLAIN_LINE };
                    if now >= first {
                        stderr.say(&progress.line(now, false));
                    }
                },
            )
            .await;
        }
    }
}

/// Feeds the state, says messages as they come, and shows the state every `period` and at the end.
async fn follow(
    mut events: UnboundedReceiver<Event>,
    budget: Option<Budget>,
    period: Duration,
    mut say: impl FnMut(&str),
    mut show: impl FnMut(&RunProgress, Duration, bool),
) {
    let start = Instant::now();
    let mut progress = RunProgress::new(budget);
    let mut batch = Vec::with_capacity(BATCH);
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut finished = false;
    while !finished {
        tokio::select! {
            received = events.recv_many(&mut batch, BATCH) => {
                finished = received == 0;
                if progress.sleeps(start.elapsed()).is_some() {
                    ticks.reset_after(period);
                }
                for event in batch.drain(..) {
                    finished |= event == Event::Finished;
                    if let Some(message) = progress.apply(&event, start.elapsed()) {
                        say(&message);
                    }
                }
                if received >= BUSY && !finished {
                    sleep(Duration::from_millis(5)).await;
                }
            }
            _ = ticks.tick() => {
                let now = start.elapsed();
                show(&progress, now, false);
                // A night is long, and nothing moves in it.
                if let Some(time) = progress.sleeps(now) {
                    ticks.reset_after(time);
                }
            }
        }
    }
    show(&progress, start.elapsed(), true);
}

/// A bar takes the columns that its line leaves. It grows no wider while a run goes on, so that it does not jump.
#[derive(Default)]
struct Drawing {
    /// Columns of the widest line so far, of a run and of its verification.
    widest: [usize; 2],
    bar: usize,
}

impl Drawing {
    fn draw(&mut self, bar: &ProgressBar, progress: &RunProgress, now: Duration, view: View) {
        let columns = view.width.map_or(usize::MAX, usize::from).min(WIDEST).saturating_sub(LEFT_FREE);
        let line = self.line(progress, now, columns, view.styled);
        let of_bar = columns.saturating_sub(1 + self.widest[usize::from(progress.is_verifying())]).max(NARROWEST);
        if of_bar != self.bar {
            bar.set_style(style(of_bar, view.styled));
            self.bar = of_bar;
        }
        bar.set_length(progress.total().into());
        bar.set_position(progress.done().into());
        bar.set_message(line);
        bar.tick();
    }

    /// The long line where a good bar has room beside it, else the short one.
    fn line(&mut self, progress: &RunProgress, now: Duration, columns: usize, styled: bool) -> String {
        let long = progress.line(now, styled);
        let line = match width(&long) + 1 + GOOD <= columns {
            true => long,
            false => shorten(&progress.short_line(now, styled), columns.saturating_sub(1 + NARROWEST)),
        };
        let widest = &mut self.widest[usize::from(progress.is_verifying())];
        *widest = (*widest).max(width(&line));
        line
    }
}

fn style(columns: usize, styled: bool) -> ProgressStyle {
    let colour = if styled { ".cyan" } else { "" };
    // Were the template wrong, the plain bar would do.
    let style = ProgressStyle::with_template(&format!("{{bar:{columns}{colour}}} {{msg}}"));
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;
    use crate::catalog::{Access, Bucket, INTUNE_DEVICES};
    use crate::daily::Ground;
    use crate::outcome::Outcome;

    /// Runs ten jobs a second for so long under a paused clock, and gives back what was said.
    async fn lines_of_a_run(seconds: u32, period: Duration) -> Vec<String> {
        let (sender, receiver) = unbounded_channel();
        let bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };
        let lines = RefCell::new(Vec::new());
        let run = async move {
            let jobs = seconds * 10;
            sender.send(Event::Started { jobs, due: jobs }).unwrap();
            for job in 0..jobs {
                sender.send(Event::Sent { job, bucket }).unwrap();
                sleep(Duration::from_millis(100)).await;
                sender.send(Event::Settled { job, outcome: Outcome::Accepted }).unwrap();
            }
            sender.send(Event::Finished).unwrap();
        };
        let say = |line: &str| lines.borrow_mut().push(line.to_owned());
        let show = |progress: &RunProgress, now: Duration, _| {
            if now >= PLAIN_LINE {
                lines.borrow_mut().push(progress.line(now, false));
            }
        };
        tokio::join!(run, follow(receiver, Some(Budget::documented(0)), period, say, show));
        lines.into_inner()
    }

    #[test]
    fn the_bar_takes_what_the_line_leaves() {
        let mut progress = RunProgress::new(None);
        progress.apply(&Event::Started { jobs: 5_000, due: 5_000 }, Duration::ZERO);
        for columns in [20, 60, 80, 200] {
            let (bar, mut drawing) = (ProgressBar::hidden(), Drawing::default());
            drawing.draw(&bar, &progress, Duration::ZERO, View { width: Some(columns), styled: false });
            let line = bar.message();
            assert!(drawing.bar + 1 + width(&line) + LEFT_FREE <= usize::from(columns).max(20), "{columns}: {line}");
            assert!(columns < 60 || drawing.bar > usize::from(columns) / 2, "{columns}: {}", drawing.bar);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_run_gets_a_line_now_and_then_and_one_at_the_end() {
        let lines = lines_of_a_run(12, PLAIN_LINE).await;
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert_eq!(lines[2], "120/120 done, 10/s of 10/s allowed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_run_gets_none() {
        assert!(lines_of_a_run(3, PLAIN_LINE).await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_night_gets_a_line_now_and_then() {
        let (sender, receiver) = unbounded_channel();
        let lines = RefCell::new(0);
        let night = async move {
            let wait = Duration::from_secs(10 * 3_600);
            let until = "2026-11-23T07:02:00Z".parse().unwrap();
            sender.send(Event::Started { jobs: 9, due: 9 }).unwrap();
            sender.send(Event::DayUsedUp { action: "retire", wait, until, ground: Ground::Counted }).unwrap();
            sleep(wait).await;
            sender.send(Event::Finished).unwrap();
        };
        tokio::join!(night, follow(receiver, None, PLAIN_LINE, |_| {}, |_, _, _| *lines.borrow_mut() += 1));
        let lines = lines.into_inner();
        assert!((30..60).contains(&lines), "{lines} lines in ten hours");
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_the_events_do() {
        let (sender, receiver) = unbounded_channel();
        drop(sender);
        start(receiver, Stderr::new(false, false), None).await.unwrap();
    }
}
