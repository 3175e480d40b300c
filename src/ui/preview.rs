//! The preview, for people.
//!
//! In: a preview and the plan's name and tenant. Out: a table of jobs, counts with their risk, a forecast.
//! Must not: print a line for each of a million rows; the CSV has them.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::consequences;
use super::days::schedule;
use super::steps;
use super::style::{BAD, FAINT, OPEN, PLAIN, STRONG, View, of_risk, paint};
use super::tables::{BELOW, GAP, Table};
use super::text::{count, count_of, duration, rate, shorten, width};
use super::waves;
use super::{guards, keys};
use crate::catalog::Budget;
use crate::guard::preflight::Hold;
use crate::moment::moment;
use crate::msgraph::request::GraphRequest;
use crate::outcome::{Cause, Outcome};
use crate::preview::{BucketCount, Preview, PreviewRow, PreviewState, UNVERIFIED};
use crate::text::visible;

/// Plans up to this long are shown whole.
const WHOLE: usize = 100;
const FIRST: usize = 50;
const LAST: usize = 5;

/// What the preview is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heading<'a> {
    /// Name of the plan, or of its file.
    pub plan: &'a str,
    pub tenant: Option<&'a str>,
    /// The reason that goes along with what a second person may have to approve.
    pub justification: Option<&'a str>,
    /// Whether it has no place for settings.
    pub is_csv: bool,
}

/// The whole text.
pub(crate) fn render(preview: &Preview<'_>, heading: Heading<'_>, view: View) -> String {
    let mut text = paint(view.styled, STRONG, &visible(heading.plan));
    if let Some(tenant) = heading.tenant {
        let _ = write!(text, " for {}", paint(view.styled, STRONG, &visible(tenant)));
    }
    let _ = writeln!(text, ": {}", count_of(preview.total(), "row"));
    if let Some(reason) = heading.justification {
        let _ = writeln!(text, "justification: {}", visible(reason));
    }
    text.push('\n');
    text.push_str(&jobs(preview, view));
    text.push('\n');
    text.push_str(&counts(preview, view));
    let consequences = consequences::render(preview, view.styled);
    if !consequences.is_empty() {
        let _ = write!(text, "\n{consequences}");
    }
    let keys = keys::counts(preview, view);
    if !keys.is_empty() {
        let _ = write!(text, "\n{keys}");
    }
    if let Some(verdict) = preview.verdict() {
        text.push('\n');
        text.push_str(&guards::render(verdict, view));
    }
    text.push_str(&steps::preview(preview));
    text.push_str(&waves::preview(&preview.waves, preview.jobs()));
    let mut days = schedule(preview.spread.as_ref(), view);
    if heading.is_csv && !days.is_empty() {
        days.push_str("If your tenant has other daily limits, write them as `limits: { daily: … }` in a YAML plan or in a policy (--policy FILE).\n\n");
    }
    let _ = writeln!(text, "\n{}\n{days}Nothing was sent.", forecast(preview));
    text
}

fn jobs(preview: &Preview<'_>, view: View) -> String {
    let total = preview.total();
    if total <= WHOLE {
        return table(&preview.rows().collect::<Vec<_>>(), 0, view);
    }
    let ends = preview.rows().take(FIRST).chain(preview.rows().skip(total - LAST));
    table(&ends.collect::<Vec<_>>(), total - FIRST - LAST, view)
}

/// Where the name of a target stands, if any of them has one.
const NAME: usize = 3;
/// Where it stands what is on file of it, if anybody has looked.
const KEYS: usize = 5;

/// `hidden` rows are left out after the first [`FIRST`].
fn table(rows: &[PreviewRow<'_>], hidden: usize, view: View) -> String {
    let widest =
        |header: &str, cell: &dyn Fn(&PreviewRow<'_>) -> usize| rows.iter().map(cell).fold(header.len(), usize::max);
    let shown = ShownColumns {
        named: rows.iter().any(|row| row.name().is_some()),
        keys: rows.iter().any(|row| row.keys.is_some()),
    };
    let name = |row: &PreviewRow<'_>| visible(row.name().unwrap_or_default()).into_owned();
    let taken = widest("ROW", &|row| row.job.row.to_string().len())
        + widest("ACTION", &|row| row.job.action.name.len())
        + widest("TARGET", &|row| width(row.job.target()))
        + widest("STATE", &|row| state_word(row.state).len())
        + if shown.named { widest("NAME", &|row| width(&name(row))) + GAP } else { 0 }
        + if shown.keys { widest("KEYS", &|row| width(&keys::in_short(row.keys))) + GAP } else { 0 }
        + 4 * GAP;
    let beside = view.width.map(|columns| usize::from(columns).saturating_sub(taken));
    // Where hardly anything of a request fits beside its row, it stands below it.
    let room = match (beside, view.width) {
        (Some(..LEAST), Some(columns)) => Some(usize::from(columns).saturating_sub(BELOW).max(LEAST)),
        (beside, _) => beside,
    };
    let header: Vec<_> = shown.cells(["ROW", "ACTION", "TARGET", "NAME", "STATE", "KEYS", "REQUEST"]).collect();
    let mut table = Table::new(&[0]).header(&header);
    for (at, row) in rows.iter().enumerate() {
        if hidden > 0 && at == FIRST {
            let more = format!("{} more; --format csv shows all", count(hidden));
            table.row(FAINT, shown.cells(["…", "", "", "", "", "", &more]));
        }
        let style = if row.state == PreviewState::Send { PLAIN } else { OPEN };
        let number = row.job.row.to_string();
        let (request, below) = request(row, room);
        let name = name(row);
        let (action, target, state) = (row.job.action.name, row.job.target(), state_word(row.state));
        let on_file = keys::in_short(row.keys);
        table.row(style, shown.cells([&number, action, target, &name, state, &on_file, &request]));
        below.into_iter().for_each(|below| table.below(&below));
    }
    table.render(view, 0)
}

/// The columns that are there only where some row has something in them.
#[derive(Clone, Copy)]
struct ShownColumns {
    /// What was looked up is shown by its name too: nobody knows ids by heart.
    named: bool,
    keys: bool,
}

impl ShownColumns {
    fn cells(self, cells: [&str; 7]) -> impl Iterator<Item = &str> {
        let shown = move |at: usize| (self.named || at != NAME) && (self.keys || at != KEYS);
        cells.into_iter().enumerate().filter(move |(at, _)| shown(*at)).map(|(_, cell)| cell)
    }
}

/// With fewer columns than these, a request stands below its row.
const LEAST: usize = 20;

fn state_word(state: PreviewState) -> &'static str {
    match state {
        PreviewState::Send => "send",
        PreviewState::Held => "held",
        PreviewState::NotDue => "not due",
        PreviewState::Done => "done",
    }
}

/// What would be sent, or why nothing is. The target stands in its own column, so it goes first where room is short. A body
/// is what a preview is read for: where it has no room beside its request, it stands below it, whole; so does a reason.
fn request(row: &PreviewRow<'_>, room: Option<usize>) -> (String, Option<String>) {
    if let Some(hold) = row.hold {
        let why = hold.to_string();
        return if room.is_none_or(|room| width(&why) <= room) { (why, None) } else { (String::new(), Some(why)) };
    }
    let request = row.request();
    let body = request.text().map(|body| format!(" {body}")).unwrap_or_default();
    let whole = format!("{} {}{body}", request.method.name(), request.path);
    let Some(room) = room.filter(|room| width(&whole) > *room) else { return (whole, None) };
    let with_body = path_in(row, &request, &body, room);
    match width(&with_body) <= room {
        true => (with_body, None),
        false => (shorten(&path_in(row, &request, "", room), room), request.text().map(str::to_owned)),
    }
}

/// The request with as much of its path as there is room for.
fn path_in(row: &PreviewRow<'_>, request: &GraphRequest<'_>, body: &str, room: usize) -> String {
    let method = request.method.name();
    let whole = format!("{method} {}{body}", request.path);
    let mut segments: Vec<&str> = request.path.split('/').skip(1).collect();
    if let Some(target) = segments.iter_mut().rfind(|segment| segment.eq_ignore_ascii_case(row.job.target())) {
        *target = "…";
    }
    let [version, rest @ ..] = segments.as_slice() else { return whole };
    let tails = (1..rest.len()).map(|from| format!("…/{}", rest[from..].join("/")));
    let mut short = whole;
    for tail in std::iter::once(rest.join("/")).chain(tails) {
        short = format!("{method} /{version}/{tail}{body}").replace("…/…", "…");
        if width(&short) <= room {
            break;
        }
    }
    short
}

/// One line for each action that is sent, and for each reason why something is not.
fn counts(preview: &Preview<'_>, view: View) -> String {
    let mut table = sent(preview);
    for cause in Cause::all().filter(|cause| cause.outcome() == Outcome::Held || *cause == Cause::LeftToAnotherRun) {
        let rows = preview.holds().filter(|hold| hold.cause() == Some(cause)).count();
        if rows > 0 {
            let style = if is_routine(cause) { OPEN } else { BAD };
            table.row(style, [&count(rows), "held", cause.words()]);
        }
    }
    for (rows, why) in done(preview).into_iter().filter(|(rows, _)| *rows > 0) {
        table.row(OPEN, [&count(rows), "done", why]);
    }
    if let Some((first, last)) = due_dates(preview) {
        let when = match first == last {
            true => format!("not before {}", moment(first)),
            false => format!("not before {} … {}", moment(first), moment(last)),
        };
        table.row(OPEN, [&count(preview.not_due()), "not due", &when]);
    }
    table.render(view, 2)
}

/// Held, and nobody has to look at it.
fn is_routine(cause: Cause) -> bool {
    matches!(cause, Cause::Duplicate | Cause::StepBeforeHeld | Cause::NoLongerInPlan | Cause::LeftToAnotherRun)
}

/// Rows with nothing left to do, by the reason.
fn done(preview: &Preview<'_>) -> [(usize, &'static str); 3] {
    let rows = |test: fn(&Hold) -> bool| preview.holds().filter(|hold| test(hold)).count();
    let missing = rows(|hold| matches!(hold, Hold::NotThere { done: true, .. }));
    let nothing_left = rows(|hold| matches!(hold, Hold::NothingLeft(_)));
    let earlier = (preview.done() as usize).saturating_sub(missing + nothing_left);
    [
        (missing, "no target was found, which counts as done (missing: done)"),
        (nothing_left, "the set matches nothing today"),
        (earlier, "by an earlier run"),
    ]
}

fn due_dates(preview: &Preview<'_>) -> Option<(Timestamp, Timestamp)> {
    if preview.not_due() == 0 {
        return None;
    }
    let mut dates = preview.holds().filter_map(|hold| match hold {
        Hold::NotDue { until } | Hold::NotLookedUp { until } => Some(*until),
        _ => None,
    });
    let first = dates.next()?;
    Some(dates.fold((first, first), |(first, last), date| (first.min(date), last.max(date))))
}

/// `24 jobs, about 3 s at the documented limit of 10 requests per second`.
pub(crate) fn forecast(preview: &Preview<'_>) -> String {
    let Some(longest) = preview.longest() else { return "No job would be sent.".into() };
    let all = count_of(preview.send(), "job");
    let about = duration(longest.time);
    match preview.buckets.as_slice() {
        [_] => format!("{all}, about {about} at {}.", pace(longest, &preview.budget)),
        _ => format!(
            "{all}, about {about}: {} of them {} against {}, at {}.",
            count(longest.requests),
            if longest.requests == 1 { "counts" } else { "count" },
            longest.bucket,
            pace(longest, &preview.budget)
        ),
    }
}

fn pace(bucket: &BucketCount, budget: &Budget) -> String {
    let whole = rate(budget.whole(bucket.bucket).per_second());
    let whose = if budget.is_own(bucket.bucket) { "plan's" } else { "documented" };
    match budget.reserve_percent() {
        0 => format!("the {whose} limit of {whole} requests per second"),
        reserve => format!("{} % of the {whose} limit of {whole} requests per second", 100 - reserve.min(99)),
    }
}

/// What is sent, for the question before a run.
pub(super) fn sent_counts(preview: &Preview<'_>, view: View) -> String {
    sent(preview).render(view, 2)
}

fn sent(preview: &Preview<'_>) -> Table {
    let mut table = Table::new(&[0]);
    for action in preview.actions.iter().filter(|action| action.send > 0) {
        let risk = action.action.risk;
        let said = match action.action.is_unverified() {
            true => format!("{}; {UNVERIFIED}", risk.name()),
            false => risk.name().to_owned(),
        };
        table.row(of_risk(risk), [&count(action.send), action.action.name, &said]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{ID, job, plan, preview_of};
    use super::*;

    const HEADING: Heading<'static> =
        Heading { plan: "lab-refresh", tenant: Some("contoso.onmicrosoft.com"), justification: None, is_csv: false };

    fn shown(width: Option<u16>) -> String {
        preview_of(&plan(), |preview| render(preview, HEADING, View { width, styled: false }))
    }

    #[test]
    fn a_preview_looks_like_this_at_100_columns() {
        let text = shown(Some(100));
        assert!(text.lines().all(|line| width(line) <= 100), "{text}");
        assert_eq!(
            text,
            "lab-refresh for contoso.onmicrosoft.com: 6 rows\n\n\
             ROW  ACTION       TARGET                                STATE    REQUEST\n  \
             2  retire       7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11  send     POST /v1.0/…/retire\n  \
             3  retire       0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02  send     POST /v1.0/…/retire\n  \
             4  retire       7F4E0C1E-0B2E-4A55-9D6B-0D1F4A7A2C11  held     same job as row 2\n  \
             5  deprovision  0a0b9f57-6a4b-4d7c-8f33-5f5c1f1f7e02  send     POST /beta/…/deprovision\n     \
             {\"deprovisionReason\":\"upgrade\"}\n  \
             6  syncDevice   7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11  send     POST /v1.0/…/syncDevice\n  \
             7  retire       a4a1b6a6-5a3c-4a0e-9ff4-3d5d5f0c8a90  not due  not before 2026-12-01 08:00:00 UTC\n\n  \
             2  retire       irreversible\n  \
             1  deprovision  destructive\n  \
             1  syncDevice   harmless\n  \
             1  held         identical to an earlier row of the plan\n  \
             1  not due      not before 2026-12-01 08:00:00 UTC\n\n\
             Side effects:\n  \
             up to 2 devices have BitLocker suspended, if they are Entra-joined and run Windows\n  \
             2 devices drop their other pending actions: this one takes precedence\n  \
             1 device cannot enrol again before a factory reset: a deprovisioned ChromeOS device stays so\n\n\
             4 jobs, about 1 s at the documented limit of 10 requests per second.\n\
             Nothing was sent.\n"
        );
    }

    #[test]
    fn a_pipe_gets_every_request_whole() {
        let text = shown(None);
        assert!(text.contains(&format!("POST /v1.0/deviceManagement/managedDevices/{ID}/retire\n")), "{text}");
        assert!(text.contains(r#"/deprovision {"deprovisionReason":"upgrade"}"#), "{text}");
    }

    #[test]
    fn a_long_plan_shows_its_beginning_and_its_end() {
        let jobs: Vec<_> = (1..=5_000).map(|row| job(row, "syncDevice", &format!("d{row}"), vec![])).collect();
        let text = preview_of(&jobs, |preview| render(preview, HEADING, View::default()));
        assert!(text.contains("4,945 more; --format csv shows all"), "{text}");
        assert!(
            text.contains("\n  50  syncDevice  d50 ") && !text.contains("d51 ") && text.contains("d4996 "),
            "{text}"
        );
        assert!(
            text.ends_with(
                "5,000 jobs, about 9 min at the documented limit of 10 requests per second.\nNothing was sent.\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn colours_are_added_only_on_request() {
        let styled = preview_of(&plan(), |preview| render(preview, HEADING, View { width: None, styled: true }));
        assert!(styled.contains("\u{1b}["));
        assert_eq!(dialoguer::console::strip_ansi_codes(&styled), shown(None));
    }
}
