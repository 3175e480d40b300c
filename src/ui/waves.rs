//! Waves, for people: what a preview says of them, what a run says between two of them, and the question there.
//!
//! In: a schedule, news, a wave's result. Out: text, and the answer of whoever is at the terminal. Must not: take
//! anything but a plain yes for one.

use std::fmt::Write as _;
use std::io::{self, BufRead, Write};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::stderr::Stderr;
use super::style::{BAD, of_outcome, paint};
use super::subject::Subject;
use super::text::{count, count_of, duration};
use super::typed_ahead;
use crate::catalog::{Action, ReadBack};
use crate::guard::waves::Schedule;
use crate::job::Job;
use crate::moment::time_of_day;
use crate::outcome::Outcome;
use crate::runner::event::WaveNews;
use crate::runner::question::{WaveQuestion, WaveResult};
use crate::text::visible;

/// What a preview says of them; empty where everything goes at once.
pub(crate) fn preview(schedule: &Schedule, jobs: &[Job]) -> String {
    let stages = schedule.stages();
    let [_, _, ..] = stages else { return String::new() };
    let mut text = format!("\n{}, each begun when the one before it has landed:\n", count_of(stages.len(), "wave"));
    for (number, stage) in stages.iter().enumerate() {
        let conditions = stage.conditions;
        let _ = write!(text, "  {:>3}  {}", number + 1, count_of(stage.jobs, "job"));
        if number + 1 < stages.len() {
            let _ = write!(text, "; landed within {}", duration(conditions.within));
            if !conditions.pause.is_zero() {
                let _ = write!(text, "; then a pause of {}", duration(conditions.pause));
            }
            if conditions.ask {
                text.push_str("; then a question");
            }
        }
        text.push('\n');
    }
    let unseen = never_seen(schedule, jobs);
    if !unseen.is_empty() {
        let names = unseen.join(", ");
        let _ = writeln!(
            text,
            "{names} cannot be verified: Graph does not report the result. For these, the answer of the service counts."
        );
    }
    text
}

/// Actions before the last wave whose landing nobody can see.
fn never_seen(schedule: &Schedule, jobs: &[Job]) -> Vec<&'static str> {
    let last = schedule.stages().len().saturating_sub(1);
    let end = schedule.range(last).start as usize;
    let actions = jobs.iter().take(end).map(|job| job.action);
    let mut names: Vec<&'static str> = Vec::new();
    for &Action { name, .. } in actions.filter(|action| action.read_back == ReadBack::Nobody) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What a run waits for, if it does, and what people are told. The question speaks for itself.
pub(super) fn told(news: &WaveNews) -> (Option<String>, Option<String>) {
    match news {
        WaveNews::Began { wave, of, jobs } => (None, Some(format!("wave {wave} of {of}: {}", count_of(*jobs, "job")))),
        WaveNews::Settled { wave, of, unseen, within, deadline } => {
            let until = time_of_day(*deadline);
            let (unseen, within) = (count_of(*unseen, "job"), duration(*within));
            let message = format!("wave {wave} of {of} has settled; checking {unseen}, for at most {within}");
            (Some(format!("waiting until {until} for wave {wave} to land")), Some(message))
        }
        WaveNews::Pausing { wave, of, pause, until } => {
            let time = time_of_day(*until);
            let message = format!("wave {wave} of {of} has landed; the next begins in {}", duration(*pause));
            (Some(format!("the next wave begins at {time}")), Some(message))
        }
        WaveNews::Asking => (Some("waiting for an answer".into()), None),
    }
}

/// What the waves are waves of.
#[derive(Debug)]
pub(crate) struct WaveSubject {
    pub subject: Subject,
    pub jobs: Arc<[Job]>,
    pub schedule: Schedule,
}

/// So many targets of the next wave are named.
const NAMED: usize = 3;

impl WaveSubject {
    /// What the wave behind that one would do: its actions, and its first targets.
    fn next(&self, wave: u32) -> String {
        let range = self.schedule.range(wave as usize);
        let jobs = || self.jobs.get(range.start as usize..range.end as usize).unwrap_or_default().iter();
        let mut actions: Vec<(&str, u32)> = Vec::new();
        for job in jobs() {
            match actions.iter_mut().find(|(name, _)| *name == job.action.name) {
                Some((_, number)) => *number += 1,
                None => actions.push((job.action.name, 1)),
            }
        }
        let actions: Vec<_> = actions.iter().map(|(name, number)| format!("{} {name}", count(*number))).collect();
        let first: Vec<_> = jobs().take(NAMED).map(|job| visible(job.called().unwrap_or(job.target()))).collect();
        format!("Next wave: {}; first targets: {}\n", actions.join(", "), first.join(", "))
    }
}

/// What happened, and what comes, without the prompt.
fn question(result: &WaveResult, about: &WaveSubject, styled: bool) -> String {
    let WaveResult { wave, of, tally, trouble, .. } = result;
    let mut text = format!("{}\n", about.subject.render(styled));
    text += &match trouble {
        None => format!("Wave {wave} of {of} has landed.\n"),
        Some(trouble) => format!("{}\n", paint(styled, BAD, &visible(trouble))),
    };
    for outcome in Outcome::ALL.into_iter().filter(|outcome| tally.of(*outcome) > 0) {
        let line = format!("{:>6}  {}", count(tally.of(outcome)), outcome.name());
        let _ = writeln!(text, "{}", paint(styled, of_outcome(outcome), &line));
    }
    text + &about.next(*wave)
}

fn prompt(result: &WaveResult) -> String {
    format!("Type `yes` to send the next {}, or `no` to stop: ", count_of(result.next, "job"))
}

/// Whether the answer is a yes, and nothing else.
fn judge(answer: &str) -> bool {
    answer.trim().eq_ignore_ascii_case("yes")
}

/// Asks on `out` and reads one line of `answers`. The end of the input is a no.
fn ask(
    (result, about): (&WaveResult, &WaveSubject),
    styled: bool,
    out: &mut impl Write,
    answers: &mut impl BufRead,
) -> io::Result<bool> {
    write!(out, "\n{}{}", question(result, about, styled), prompt(result))?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    if !answer.ends_with('\n') {
        writeln!(out)?;
    }
    Ok(judge(&answer))
}

/// Answers questions from the terminal, on a thread of its own: it may wait for ever, and the run must not.
pub(crate) fn people(stderr: Stderr, about: WaveSubject) -> mpsc::UnboundedSender<WaveQuestion> {
    let (sender, mut questions) = mpsc::unbounded_channel::<WaveQuestion>();
    let listen = move || {
        while let Some(question) = questions.blocking_recv() {
            stderr.without_bar(|| {
                typed_ahead::forget();
                let yes = ask((&question.result, &about), stderr.styled(), &mut io::stderr(), &mut io::stdin().lock());
                // A run that has ended meanwhile wants no answer; a terminal that cannot be read says no.
                question.answer(yes.unwrap_or(false));
            });
        }
    };
    // Without the thread, every question is dropped, and that is a no.
    let _ = std::thread::Builder::new().name("questions".into()).spawn(listen);
    sender
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::job;
    use super::*;
    use crate::guard::waves::{Conditions, Size, Wave};
    use crate::outcome::Tally;

    fn result(trouble: Option<&str>) -> WaveResult {
        let tally: Tally = std::iter::repeat_n(Outcome::Accepted, 9).chain([Outcome::Failed]).collect();
        WaveResult { wave: 2, of: 4, tally, trouble: trouble.map(Box::from), next: 1_240 }
    }

    /// Four waves of a job each, but for the third.
    fn about() -> WaveSubject {
        let jobs: Vec<Job> = ["wipe", "wipe", "wipe", "retire", "wipe"]
            .iter()
            .zip(1..)
            .map(|(action, row)| job(row, action, &format!("id-{row}"), vec![]))
            .collect();
        let wave = |size| Wave { size, conditions: Conditions::default() };
        let waves = [1, 1, 2, 1].map(|jobs| wave(Size::Jobs(jobs)));
        let schedule = Schedule::new(&waves, &jobs, &vec![None; jobs.len()]);
        let subject = Subject { name: Some("lab".into()), file: "lab.yaml".into(), tenant: "contoso".into() };
        WaveSubject { subject, jobs: jobs.into(), schedule }
    }

    #[test]
    fn the_question_says_what_happened_and_what_comes() {
        let trouble = "wave 2 of 4 did not go well: of its 10 jobs, 1 failed";
        let mut out = Vec::new();
        assert!(ask((&result(Some(trouble)), &about()), false, &mut out, &mut &b"Yes\n"[..]).unwrap());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\nlab (lab.yaml) in contoso\nwave 2 of 4 did not go well: of its 10 jobs, 1 failed\n     9  accepted\n     1  failed\n\
             Next wave: 1 wipe, 1 retire; first targets: id-3, id-4\n\
             Type `yes` to send the next 1,240 jobs, or `no` to stop: "
        );
    }

    #[test]
    fn nothing_but_a_yes_is_one() {
        for answer in ["", "\n", "y\n", "no\n", "yes please\n", "1240\n"] {
            let answered = ask((&result(None), &about()), false, &mut Vec::new(), &mut answer.as_bytes());
            assert!(!answered.unwrap(), "{answer:?}");
        }
    }
}
