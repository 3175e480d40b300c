//! Tests of runs read page by page.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::approval::ApprovalRequest;
use crate::job::{Ids, Job, JobParts};
use crate::journal::{Attempt, Journal, NewRun, Recorder};
use crate::outcome::{FollowUp, Outcome, Settlement, Stage};

/// More than two pages, and not a whole number of them.
const JOBS: u32 = 2 * PAGE + 3;

fn noon() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A run with something of everything in it: at the ends of pages too.
fn begin(journal: &mut Journal) -> RunHead {
    let sync = Action::named("syncDevice").unwrap();
    let job = |row: u32| {
        let id = format!("10000000-0000-4000-8000-{row:012}");
        let mut job = Job::new(JobParts::plain(row, sync, Ids::new([id.as_str()])));
        job.priority = if row.is_multiple_of(5) { 3 } else { 0 };
        job.set_verified_within(row.is_multiple_of(7).then_some(Duration::from_secs(60)));
        job
    };
    let jobs: Vec<Job> = (1..=JOBS).map(job).collect();
    let id = RunId::new(noon(), [1; 10]);
    let run = NewRun {
        id: &id,
        plan_key: "key",
        plan_file: "plan.csv",
        plan_digest: "",
        plan_files: &[],
        tenant: "contoso",
        place: "https://graph.microsoft.com",
        known: 0,
        settings: &serde_json::json!({}),
        report: None,
        jobs: &jobs,
        inherited: &[],
        request: |_: &Job| ("POST", "/".to_owned(), None),
        now: noon(),
    };
    let number = journal.begin(&run).unwrap();
    let recorder = Recorder::start(journal, number, |why| panic!("{why}")).unwrap();
    for job in 0..JOBS {
        for number in 0..job % 3 {
            let client_request_id = format!("{job}-{number}").as_str().into();
            let release = Box::new(|_| {});
            recorder.attempt(Attempt {
                job,
                number,
                client_request_id,
                sent_at: noon(),
                take: None,
                may_follow: |_, _| true,
                release,
            });
        }
        if job.is_multiple_of(4) {
            let seen = FollowUp { stage: Stage::Failed, words: "seen".into(), last_check_in: None, read_at: noon() };
            let follow_up = job.is_multiple_of(8).then(|| Box::new(seen));
            recorder.settled(job, &Settlement { follow_up, ..Settlement::unsent(Outcome::Failed, job.to_string()) });
        }
        if job % 11 == 1 {
            let code = format!("code-{job}").into();
            recorder.filed(job, 0, &ApprovalRequest { code, filed_at: noon(), expires_at: noon(), found: false });
        }
    }
    recorder.finish().unwrap();
    journal.head(&id).unwrap()
}

fn told(jobs: &[StoredJob]) -> Vec<String> {
    jobs.iter().map(|job| format!("{job:?}")).collect()
}

#[test]
fn a_run_read_page_by_page_is_the_run_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let head = begin(&mut journal);
    let whole = journal.read(&head.id).unwrap().jobs;
    for (index, job) in (0..JOBS).zip(&whole) {
        assert_eq!(job.job.row, index + 1);
        assert_eq!(job.attempts.len(), index as usize % 3);
        assert_eq!(job.settled.is_some(), index.is_multiple_of(4));
    }
    let whole = told(&whole);
    assert_eq!(whole.len(), JOBS as usize);
    let holds = |what: &str| whole.iter().filter(|job| job.contains(what)).count();
    for what in
        ["priority: 3", "verified_within: Some", "attempts: [PastAttempt", "settled: Some", "words: \"seen\"", "code-"]
    {
        assert!((50..JOBS as usize).contains(&holds(what)), "{what}");
    }
    for at_most in [7, PAGE - 1, PAGE, PAGE + 1, 2 * JOBS] {
        let mut pages = Vec::new();
        let mut after = None;
        loop {
            let page = journal.jobs(&head, after, at_most).unwrap();
            assert!(page.len() <= at_most as usize);
            if page.is_empty() {
                break;
            }
            pages.extend(told(&page));
            after = Some(u32::try_from(pages.len()).unwrap() - 1);
        }
        assert!(pages == whole, "in pages of {at_most}");
    }
    let mut walked = Vec::new();
    let keep = |first: u32, page: Vec<StoredJob>| -> Result<(), JournalError> {
        assert_eq!(first as usize, walked.len());
        assert!(!page.is_empty() && page.len() <= PAGE as usize);
        walked.extend(told(&page));
        Ok(())
    };
    journal.walk(&head.id, keep).unwrap();
    assert!(walked == whole);
    assert!(journal.jobs(&head, Some(u32::MAX), 1).unwrap().is_empty());
}

#[test]
fn all_pages_are_of_one_instant() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let head = begin(&mut journal);
    let mut other = Journal::open(folder.path()).unwrap();
    let last = JOBS - 1;
    let mut seen = None;
    let look = |first: u32, page: Vec<StoredJob>| -> Result<(), JournalError> {
        if first == 0 {
            other.settle(head.number, &[(last, &Settlement::unsent(Outcome::Failed, "meanwhile"))])?;
        }
        seen = page.last().map(|stored| stored.settled.clone());
        Ok(())
    };
    journal.walk(&head.id, look).unwrap();
    assert_eq!(seen, Some(None));
    let now = journal.jobs(&head, Some(last - 1), 1).unwrap();
    assert_eq!(now[0].settled.as_ref().unwrap().outcome, Outcome::Failed);
}

#[test]
fn of_a_run_that_lacks_a_job_no_page_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path()).unwrap();
    let head = begin(&mut journal);
    journal.store.connection.execute("DELETE FROM jobs WHERE job = ?1", [PAGE + 1]).unwrap();
    let walked = journal.walk(&head.id, |_, _| -> Result<(), JournalError> { panic!("a page") });
    assert_eq!(
        walked.unwrap_err().to_string(),
        format!("the journal's record of the run is damaged: it has {} of its {JOBS} jobs", JOBS - 1)
    );
    assert!(journal.jobs(&head, Some(PAGE - 1), 10).is_err(), "the job after it is not taken for it");
}
