//! Reads with patience: paced in their allowance, tried again where that helps.
//!
//! In: [`Get`]s. Out: documents, or why there are none. Must not: send anything else, follow a link to another service,
//! or take half of a list for the whole of it.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::time::Duration;

use fastrand::Rng;
use serde_json::Value;
use tokio::time::Instant;

use crate::catalog::Bucket;
use crate::msgraph::read_only::{BATCH, Get, NoEnd, ReadAnswer, ReadOnly, Trail};
use crate::msgraph::transport::Transport;
use crate::outcome::{Reply, Verdict};
use crate::pacing::backoff::{MAX_CONNECT_FAILURES, connect_pause, transient_pause};
use crate::pacing::failed_read::{AfterRead, after_failed_read};
use crate::pacing::{Gates, RoundTrip};
use crate::runner::DEFAULT_MAX_ATTEMPTS;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("sign-in failed: {0}")]
    SignIn(Box<str>),
    #[error("the service cannot be reached: {0}")]
    Unreachable(Box<str>),
    #[error("GET {path}: {why}")]
    Refused { path: String, status: Option<u16>, why: String },
    #[error(transparent)]
    NoEnd(#[from] NoEnd),
    #[error("GET {0}: the answer is no list")]
    NoList(String),
    /// One of many short reads: what it was to find.
    #[error("{value} could not be looked up: {error}")]
    OfValue { value: Box<str>, error: Box<ReadError> },
}

impl ReadError {
    /// What it is about, if it is one of many short reads.
    pub fn value(&self) -> Option<&str> {
        match self {
            Self::OfValue { value, .. } => Some(value),
            _ => None,
        }
    }

    /// What went wrong with the read, whatever it was to find.
    pub fn cause(&self) -> &Self {
        match self {
            Self::OfValue { error, .. } => error.cause(),
            error => error,
        }
    }
}

/// Somebody who reads.
#[derive(Debug)]
pub struct Reading<'c, T> {
    client: ReadOnly<'c, T>,
    gates: Gates,
    rng: Rng,
    connect_failures: u32,
    /// When the last request left that could not be delivered: all reads of an envelope share one failure.
    undelivered: Option<Instant>,
    unauthorized: bool,
}

/// How much of a list was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pages {
    /// There is no such list.
    None,
    Some,
    All,
}

/// A read that has left.
#[derive(Clone, Copy)]
struct SentRead<'g> {
    get: &'g Get,
    bucket: Bucket,
    sent: Instant,
    /// This one among them.
    tries: u32,
}

/// What becomes of a read after an answer.
enum AfterAnswer {
    Done,
    Gone,
    /// Once more, after that time, or when the gate lets it through.
    Again {
        after: Duration,
        uses_try: bool,
    },
}

impl<'c, T: Transport> Reading<'c, T> {
    pub fn new(client: ReadOnly<'c, T>, rng: Rng) -> Self {
        let gates = client.gates().clone();
        Self { client, gates, rng, connect_failures: 0, undelivered: None, unauthorized: false }
    }

    /// Reads one thing. `None`: it is not there.
    pub async fn one(&mut self, get: &Get, bucket: Bucket) -> Result<Option<Value>, ReadError> {
        let mut tries = 0;
        loop {
            self.pass(bucket, get).await?;
            let sent = Instant::now();
            let id = self.fresh_id();
            let ReadAnswer { reply, document } = self.client.get(get, &id).await;
            tries += 1;
            match self.judge(SentRead { get, bucket, sent, tries }, &reply)? {
                AfterAnswer::Done => return document.map(Some).ok_or_else(|| ReadError::NoList(get.path().to_owned())),
                AfterAnswer::Gone => return Ok(None),
                AfterAnswer::Again { after, uses_try } => {
                    tries -= u32::from(!uses_try);
                    tokio::time::sleep(after).await;
                }
            }
        }
    }

    /// Reads a list to its last page, and hands over the documents of each. `false`: there is no such list.
    pub async fn pages(
        &mut self,
        first: Get,
        bucket: Bucket,
        mut each: impl FnMut(Vec<Value>),
    ) -> Result<bool, ReadError> {
        let each = |page| {
            each(page);
            ControlFlow::Continue(())
        };
        Ok(self.pages_while(first, bucket, each).await? != Pages::None)
    }

    /// The same, for as long as `each` wants more.
    pub(super) async fn pages_while(
        &mut self,
        first: Get,
        bucket: Bucket,
        mut each: impl FnMut(Vec<Value>) -> ControlFlow<()>,
    ) -> Result<Pages, ReadError> {
        let Some(page) = self.one(&first, bucket).await? else { return Ok(Pages::None) };
        let mut trail = Trail::new(first.path());
        let (documents, next) = self.open(page, &first, &mut trail)?;
        match (each(documents), next) {
            (_, None) => Ok(Pages::All),
            (ControlFlow::Break(()), Some(_)) => Ok(Pages::Some),
            (ControlFlow::Continue(()), Some(next)) => self.pages_behind((next, trail), bucket, each).await,
        }
    }

    /// The further pages of a list, for as long as `each` wants more.
    async fn pages_behind(
        &mut self,
        (second, mut trail): (Get, Trail),
        bucket: Bucket,
        mut each: impl FnMut(Vec<Value>) -> ControlFlow<()>,
    ) -> Result<Pages, ReadError> {
        let (mut next, mut enough) = (Some(second), false);
        while let Some(get) = next {
            if enough {
                return Ok(Pages::Some);
            }
            let gone = || ReadError::NoList(get.path().to_owned());
            let page = self.one(&get, bucket).await?.ok_or_else(gone)?;
            let (documents, further) = self.open(page, &get, &mut trail)?;
            tracing::info!(records = documents.len(), "read a page");
            enough = each(documents).is_break();
            next = further;
        }
        Ok(Pages::All)
    }

    /// Reads many short lists, [`BATCH`] in one envelope, each to find what a value means. `each` gets the number of the read
    /// and its documents; a list that is not there has none.
    pub(super) async fn batched(
        &mut self,
        reads: &[(Get, Box<str>)],
        bucket: Bucket,
        mut each: impl FnMut(usize, Vec<Value>),
    ) -> Result<(), ReadError> {
        let gets: Vec<Get> = reads.iter().map(|(get, _)| get.clone()).collect();
        let mut failed = None;
        let each = |number: usize, answer: Result<Vec<Value>, ReadError>| match answer {
            Ok(documents) => {
                each(number, documents);
                ControlFlow::Continue(())
            }
            Err(error) => {
                let value = reads.get(number).map(|(_, value)| value.clone()).unwrap_or_default();
                failed = Some(ReadError::OfValue { value, error: Box::new(error) });
                ControlFlow::Break(())
            }
        };
        self.each_of(&gets, bucket, each).await?;
        failed.map_or(Ok(()), Err)
    }

    /// The same, where one that cannot be read is no reason to stop: `each` is told of it, and may.
    pub(super) async fn each_of(
        &mut self,
        gets: &[Get],
        bucket: Bucket,
        mut each: impl FnMut(usize, Result<Vec<Value>, ReadError>) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut queue: VecDeque<usize> = (0..gets.len()).collect();
        let mut tries = vec![0; gets.len()];
        // A place in the allowance is held until the answer comes: an envelope with more would never be full.
        let allowed = self.gates.used(bucket).allowed.map_or(BATCH, |allowed| allowed.requests as usize);
        let most = BATCH.min(allowed).max(1);
        while !queue.is_empty() {
            let numbers: Vec<_> = queue.drain(..queue.len().min(most)).collect();
            let mut pause = Duration::ZERO;
            let mut stopped = None;
            for (number, answer) in numbers.iter().copied().zip(self.envelope(gets, &numbers, bucket).await?) {
                let get = &gets[number];
                let (ReadAnswer { reply, document }, sent) = answer;
                if stopped.is_some() {
                    // Nobody wants it any more, but its place is free again.
                    self.gates.returned(bucket, Some(&reply), sent, Instant::now());
                    continue;
                }
                tries[number] += 1;
                let read = SentRead { get, bucket, sent, tries: tries[number] };
                let answer = match self.judge(read, &reply) {
                    Ok(AfterAnswer::Again { after, uses_try }) => {
                        tries[number] -= u32::from(!uses_try);
                        pause = pause.max(after);
                        queue.push_back(number);
                        continue;
                    }
                    Ok(AfterAnswer::Gone) => Ok(Vec::new()),
                    Ok(AfterAnswer::Done) => self.whole_list(document, get, bucket).await,
                    Err(error) => Err(error),
                };
                let is_its_own = matches!(answer, Ok(_) | Err(ReadError::Refused { .. } | ReadError::NoList(_)));
                match answer {
                    Err(error) if !is_its_own => stopped = Some(Err(error)),
                    answer => stopped = each(number, answer).is_break().then_some(Ok(())),
                }
            }
            if let Some(stopped) = stopped {
                return stopped;
            }
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// All documents of a list of which the first page is there.
    async fn whole_list(&mut self, page: Option<Value>, get: &Get, bucket: Bucket) -> Result<Vec<Value>, ReadError> {
        let page = page.ok_or_else(|| ReadError::NoList(get.path().to_owned()))?;
        let mut trail = Trail::new(get.path());
        let (mut documents, next) = self.open(page, get, &mut trail)?;
        if let Some(next) = next {
            let each = |further| {
                documents.extend(further);
                ControlFlow::Continue(())
            };
            self.pages_behind((next, trail), bucket, each).await?;
        }
        Ok(documents)
    }

    /// One envelope with these reads. Where it got no answer of its own, each of them got that one.
    async fn envelope(
        &mut self,
        gets: &[Get],
        numbers: &[usize],
        bucket: Bucket,
    ) -> Result<Vec<(ReadAnswer, Instant)>, ReadError> {
        let chosen: Vec<Get> = numbers.iter().map(|number| gets[*number].clone()).collect();
        for get in &chosen {
            // The service counts what is in the envelope.
            self.pass(bucket, get).await?;
        }
        let sent = Instant::now();
        let id = self.fresh_id();
        if let [alone] = chosen.as_slice() {
            return Ok(vec![(self.client.get(alone, &id).await, sent)]);
        }
        let ids: Vec<_> = chosen.iter().map(|_| self.fresh_id()).collect();
        let answers = match self.client.batch(&chosen, &ids, &id).await {
            Ok(answers) => answers,
            Err(reply) => chosen.iter().map(|_| ReadAnswer { reply: reply.clone(), document: None }).collect(),
        };
        Ok(answers.into_iter().map(|answer| (answer, sent)).collect())
    }

    /// The documents of a page, and the page behind it.
    fn open(&self, mut page: Value, get: &Get, trail: &mut Trail) -> Result<(Vec<Value>, Option<Get>), ReadError> {
        if get.is_of_one() {
            return Ok((vec![page], None));
        }
        let next = match page.get("@odata.nextLink") {
            None | Some(Value::Null) => None,
            Some(Value::String(link)) => Some(trail.follow(link, self.client.graph_url())?),
            Some(_) => return Err(ReadError::NoList(get.path().to_owned())),
        };
        match page.get_mut("value").map(Value::take) {
            Some(Value::Array(documents)) => Ok((documents, next)),
            _ => Err(ReadError::NoList(get.path().to_owned())),
        }
    }

    /// Waits for a place in the allowance.
    async fn pass(&mut self, bucket: Bucket, get: &Get) -> Result<(), ReadError> {
        self.gates.wait(bucket).await.map_err(|asked| {
            let why = format!("the service asks to wait for {} s, which is too long", asked.as_secs());
            ReadError::Refused { path: get.path().to_owned(), status: Some(429), why }
        })
    }

    /// The host is away: asked again a few times, however many reads wait for it.
    fn after_no_host(&mut self, sent: Instant, why: impl Fn() -> Box<str>) -> Result<AfterAnswer, ReadError> {
        self.connect_failures += u32::from(self.undelivered.replace(sent) != Some(sent));
        match self.connect_failures > MAX_CONNECT_FAILURES {
            true => Err(ReadError::Unreachable(why())),
            false => {
                let after = connect_pause(self.connect_failures, &mut self.rng);
                Ok(AfterAnswer::Again { after, uses_try: false })
            }
        }
    }

    fn judge(&mut self, read: SentRead<'_>, reply: &Reply) -> Result<AfterAnswer, ReadError> {
        let SentRead { get, bucket, sent, tries } = read;
        let gates = &self.gates;
        let now = Instant::now();
        gates.returned(bucket, Some(reply), sent, now);
        if !gates.told_to_wait(bucket, reply, RoundTrip { sent, back: now }, &mut self.rng) {
            gates.answered(bucket, sent);
        }
        let why = || reply.error_message.clone().unwrap_or_default();
        if reply.verdict != Verdict::Unreachable {
            self.connect_failures = 0;
        }
        match reply.verdict {
            Verdict::Succeeded => {
                self.unauthorized = false;
                return Ok(AfterAnswer::Done);
            }
            Verdict::Gone if get.may_be_missing() => return Ok(AfterAnswer::Gone),
            _ => {}
        }
        let after = match after_failed_read(&reply.verdict, tries, DEFAULT_MAX_ATTEMPTS, &mut self.rng) {
            AfterRead::AtTheGate => return Ok(AfterAnswer::Again { after: Duration::ZERO, uses_try: false }),
            AfterRead::NoHost => return self.after_no_host(sent, why),
            AfterRead::NotSignedIn => return Err(ReadError::SignIn(why())),
            // Once with a fresh token.
            AfterRead::FreshToken if self.unauthorized && tries > 1 => return Err(ReadError::SignIn(why())),
            AfterRead::FreshToken => {
                self.unauthorized = true;
                Some(Duration::ZERO)
            }
            AfterRead::Outage { after } => transient_pause(Some(after), tries, &mut self.rng),
            AfterRead::Later { after } => Some(after),
            AfterRead::Never => None,
        };
        match after.filter(|_| tries < DEFAULT_MAX_ATTEMPTS) {
            Some(after) => Ok(AfterAnswer::Again { after, uses_try: true }),
            None => {
                let code = reply.error_code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
                let status = reply.http_status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
                let path = get.path().split('?').next().unwrap_or_default().to_owned();
                let why = format!("{status}{code}: {}", why());
                Err(ReadError::Refused { path, status: reply.http_status, why })
            }
        }
    }

    fn fresh_id(&mut self) -> String {
        let mut bytes = [0; 16];
        self.rng.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }
}
