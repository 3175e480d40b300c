//! The Graph client: performs attempts and reads.
//!
//! In: jobs. Out: classified replies, and evidence. Must not: retry, pace, or keep anything about a job.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::classify::classify;
use super::envelope::{headers, http_method, late, not_signed_in};
use super::evidence;
use super::follow_up;
use super::request::{self, GraphRequest};
use super::request_of_approval::companion;
use super::service_clock::ServiceClock;
use super::shape::{NOT_SHOWN, Shape, document, shape_of};
use super::sights::Sights;
use super::token::TokenSource;
use super::transport::{Transport, WireReply, WireRequest};
use crate::catalog::{Access, Action, Bucket, DIRECTORY, INTUNE_OTHER, ReadBack, Service, TargetKind};
use crate::clock::Clock;
use crate::identity::Identity;
use crate::job::{Job, JobId};
use crate::outcome::{Evidence, FollowUp, FollowUpRead, Lack, Presence, Reply, Seen, Since, Stage, Verdict};
use crate::pacing::{Gates, retry_after};

const CODE: HeaderName = HeaderName::from_static("x-msft-approval-code");
const JUSTIFICATION: HeaderName = HeaderName::from_static("x-msft-approval-justification");
const PRIORITY: HeaderName = HeaderName::from_static("x-ms-throttle-priority");
const LOW: HeaderValue = HeaderValue::from_static("Low");

/// Speaks to one Graph endpoint with one identity.
#[derive(Debug)]
pub struct GraphClient<T> {
    transport: T,
    tokens: TokenSource<T>,
    /// `https://graph.microsoft.com`, without a slash at the end.
    graph_url: String,
    clock: Clock,
    service_clock: ServiceClock,
    sights: Sights,
    gates: Gates,
    justification: Option<HeaderValue>,
    /// Actions that the tenant has asked for a reason of, beside those of the catalog that it may ask for.
    asked: RwLock<HashSet<&'static str>>,
    /// Whether a service that knows of priorities is told that these requests may wait.
    low_priority: bool,
    /// The codes of what somebody has approved.
    codes: RwLock<HashMap<JobId, Box<str>>>,
}

impl<T: Transport> GraphClient<T> {
    /// `gates`: what requests pass before they leave. Whoever performs jobs passes them for the requests of these; what
    /// else is sent passes them here.
    pub fn new(transport: T, tokens: TokenSource<T>, graph_url: &str, clock: Clock, gates: Gates) -> Self {
        let graph_url = graph_url.trim_end_matches('/').to_owned();
        Self {
            transport,
            tokens,
            graph_url,
            clock,
            service_clock: ServiceClock::default(),
            sights: Sights::default(),
            gates,
            justification: None,
            asked: RwLock::default(),
            low_priority: false,
            codes: RwLock::default(),
        }
    }

    pub fn gates(&self) -> &Gates {
        &self.gates
    }

    /// Lets others go first where the service knows of priorities: the directory does, Intune does not.
    #[must_use]
    pub fn low_priority(self, low_priority: bool) -> Self {
        Self { low_priority, ..self }
    }

    /// The reason that goes along with what a second person may have to approve; tenants without such a policy ignore it.
    #[must_use]
    pub fn justified(self, reason: Option<&str>) -> Self {
        let encoded = reason.map(|reason| STANDARD.encode(reason));
        Self { justification: encoded.and_then(|encoded| HeaderValue::try_from(encoded).ok()), ..self }
    }

    /// From now on these jobs are sent with the code of their approval request, and every other as if it were new.
    pub fn complete(&self, codes: HashMap<JobId, Box<str>>) {
        *self.codes.write().unwrap_or_else(PoisonError::into_inner) = codes;
    }

    fn code(&self, job: &Job) -> Option<Box<str>> {
        self.codes.read().unwrap_or_else(PoisonError::into_inner).get(&job.id).cloned()
    }

    /// One request that is no attempt of a job.
    pub(super) async fn exchange(&self, request: GraphRequest<'_>, id: &str) -> (Reply, Option<WireReply>) {
        self.send(request, id, &INTUNE_OTHER, None).await
    }

    pub fn transport(&self) -> &T {
        &self.transport
    }

    pub fn tokens(&self) -> &TokenSource<T> {
        &self.tokens
    }

    /// What was read that is no job's, since the sign-in.
    pub fn sights(&self) -> &Sights {
        &self.sights
    }

    /// Where Graph is, without a slash at the end.
    pub fn graph_url(&self) -> &str {
        &self.graph_url
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// `approval`: the header that a request goes with that may need approval.
    pub(super) async fn send(
        &self,
        request: GraphRequest<'_>,
        id: &str,
        service: &Service,
        approval: Option<(HeaderName, HeaderValue)>,
    ) -> (Reply, Option<WireReply>) {
        let asked = Instant::now();
        let authorization = match self.tokens.authorization().await {
            Ok(authorization) => authorization,
            Err(error) => return (not_signed_in(&error, id), None),
        };
        if let Some(late) = late(&request, asked, id) {
            return (late, None);
        }
        let mut headers = headers(&request, authorization.header, id);
        if self.low_priority && service.tells_load {
            headers.insert(PRIORITY, LOW);
        }
        headers.extend(approval);
        let wire = WireRequest {
            method: http_method(request.method),
            url: format!("{}{}", self.graph_url, request.path),
            headers,
            body: request.body.cloned().unwrap_or_default(),
        };
        let sent = self.clock.now();
        let result = self.transport.send(wire).await;
        let received = self.clock.now();
        let (reply, wire) = match result {
            Ok(wire) if wire.status.is_success() => {
                let kept = WireReply { status: wire.status, headers: HeaderMap::new(), body: wire.body.clone() };
                let date = retry_after::date_of(&wire.headers);
                let reply = classify(Ok(wire), id, received);
                let succeeded = reply.verdict == Verdict::Succeeded;
                if let (true, Some(date)) = (succeeded, date) {
                    self.service_clock.heard(date, sent, received);
                }
                (reply, succeeded.then_some(kept))
            }
            result => (classify(result, id, received), None),
        };
        if reply.verdict == Verdict::Unauthorized {
            self.tokens.refused(authorization.number);
        }
        (reply, wire)
    }
}

/// What is done for a job.
impl<T: Transport> GraphClient<T> {
    /// Sends the job's request once. `client_request_id` is fresh for every request.
    pub async fn attempt(&self, job: &Job, client_request_id: &str) -> Reply {
        // Whoever made it has looked names up. If not, nothing leaves for whoever has the name by now.
        if let Some(name) = job.name_in_path() {
            let why = format!("nothing is sent to {name}: a name has to be looked up first");
            return Reply::none(Verdict::Refused, why, client_request_id.into());
        }
        if let Some(why) = job.action.definition.and_then(|own| own.refuses(&job.ids.iter().collect::<Vec<_>>())) {
            let why = format!("nothing is sent: with these ids it is another request: {why}");
            return Reply::none(Verdict::Refused, why, client_request_id.into());
        }
        let approval = self.approval_header(job);
        let sent = approval.as_ref().map(|(header, _)| header.clone());
        let (reply, _) = self.send(request::build(job), client_request_id, job.action.service, approval).await;
        let mut reply = only_expected(job.action, reply);
        if reply.verdict == Verdict::JustificationRequired(Lack::Missing) {
            reply.verdict = Verdict::JustificationRequired(self.lack(job.action, sent));
        }
        if reply.verdict == Verdict::ApprovalPending
            && let Ok(Some(code)) = self.pending(job, &companion(client_request_id)).await
        {
            reply.verdict = Verdict::ApprovalRequired { code };
        }
        let sent_code = self.code(job);
        // What cites the code that it was sent with says something of that request, and has filed no other.
        let is_its_own = |code: &str| sent_code.as_deref().is_some_and(|sent| sent.eq_ignore_ascii_case(code));
        if matches!(&reply.verdict, Verdict::ApprovalRequired { code } if is_its_own(code)) {
            reply.verdict = Verdict::Refused;
        }
        if let (Verdict::Refused | Verdict::Gone, Some(code)) = (&reply.verdict, sent_code) {
            reply = self.unless_completed(&code, reply, client_request_id).await;
        }
        tracing::debug!(
            job = %job.id, action = job.action.name, status = reply.http_status, verdict = ?reply.verdict,
            client_request_id, "attempt"
        );
        reply
    }

    /// Reads whether an attempt that left then or later had an effect. Changes nothing.
    pub async fn read_back(&self, job: &Job, since: Since, client_request_id: &str) -> Evidence {
        let Some(request) = request::build_read_back(job) else {
            return Evidence::CannotTell(format!("no read tells whether {} took effect", job.action.name));
        };
        let evidence = match self.state(request, client_request_id, job).await {
            Ok(document) => evidence::judge(job, &document, since.shown_by(|ours| self.service_clock.at(ours))),
            Err(reply) if reply.verdict == Verdict::Gone => evidence::of_nothing(job),
            Err(reply) => Evidence::NotRead(reply),
        };
        match (evidence, self.code(job)) {
            (Evidence::NoEffect(seen), Some(code)) => self.still_approved(&code, seen, client_request_id).await,
            (evidence, _) => evidence,
        }
    }

    /// What tells of the job's action: a document, or a list of which every page is read.
    async fn state(&self, request: GraphRequest<'_>, id: &str, job: &Job) -> Result<Value, Reply> {
        let path = request.path.clone();
        let document = self.read(request, id, job, shape_of(job.action.read_back)).await?;
        match job.action.read_back {
            ReadBack::Unlisted => self.to_the_end((document, &path), job.read_bucket(), id).await,
            _ => Ok(document),
        }
    }

    /// Reads how far an action is that was accepted after it had left at `since`; an error is the answer of a read that
    /// failed. Changes nothing.
    pub async fn follow_up(&self, job: &Job, since: Timestamp, client_request_id: &str) -> Result<FollowUpRead, Reply> {
        let now = self.clock.now();
        let unclear = |stage, words: &str| {
            FollowUpRead::There(FollowUp { stage, words: words.into(), last_check_in: None, read_at: now })
        };
        let Some(request) = request::build_read_back(job) else {
            return Ok(unclear(Stage::Untold, "no read tells"));
        };
        match self.state(request, client_request_id, job).await {
            Ok(document) => {
                Ok(FollowUpRead::There(follow_up::judge(job, &document, self.service_clock.at(since), now)))
            }
            Err(reply) if reply.verdict == Verdict::Gone => Ok(FollowUpRead::Gone(follow_up::of_nothing(job, now))),
            Err(reply) => Err(reply),
        }
    }

    /// Reads who the job's target is. Changes nothing.
    pub async fn inspect(&self, job: &Job, client_request_id: &str) -> Seen {
        let is_member = job.action.target == TargetKind::GroupMember;
        match self.read(request::build_inspection(job), client_request_id, job, Shape::Thing).await {
            Ok(document) => match Identity::from_document(&document) {
                // The directory shows that there is something, and not what, to whoever may not read its kind.
                Some(identity) if is_member && identity.is_unknown_member(&document) => {
                    let why = "the member shows neither a device id nor a principal name; reading it takes Directory.Read.All";
                    Seen::NotRead(Reply::none(Verdict::Refused, why, client_request_id.into()))
                }
                Some(identity) => match self.moved_name(job, client_request_id).await {
                    None => self.with_devices(job, identity, client_request_id).await,
                    Some(moved) => moved,
                },
                None => Seen::NotRead(Reply::none(Verdict::Refused, NOT_SHOWN, client_request_id.into())),
            },
            Err(reply) if reply.verdict == Verdict::Gone => Seen::Gone,
            Err(reply) => Seen::NotRead(reply),
        }
    }

    /// Reads whether what the id at that place of the job's route names is there. Changes nothing.
    pub async fn find(&self, job: &Job, at: usize, client_request_id: &str) -> Presence {
        let Some(request) = request::build_find(job, at) else {
            return Presence::NotRead(Reply::none(
                Verdict::Refused,
                "the route has no such id",
                client_request_id.into(),
            ));
        };
        match self.read(request, client_request_id, job, Shape::Thing).await {
            Ok(_) => Presence::There,
            Err(reply) if reply.verdict == Verdict::Gone => Presence::Missing,
            Err(reply) => Presence::NotRead(reply),
        }
    }
}

impl<T: Transport> GraphClient<T> {
    /// The user, and which devices an action on all of them would reach. Those that cannot be listed, or not on one page,
    /// are not looked at, and then nobody was.
    async fn with_devices(&self, job: &Job, mut identity: Identity, client_request_id: &str) -> Seen {
        let Some(request) = request::build_devices_inspection(job) else { return Seen::Identity(Box::new(identity)) };
        let refused = |why: String| {
            Seen::NotRead(Reply::none(Verdict::Refused, format!("the user's devices: {why}"), client_request_id.into()))
        };
        let page = match self.read(request, &companion(client_request_id), job, Shape::List).await {
            Ok(page) => page,
            // There is no user of that id any more, or none that ever had a device.
            Err(reply) if reply.verdict == Verdict::Gone => return refused("there is no such user".into()),
            Err(reply) => {
                let why = reply.error_message.as_deref().unwrap_or("no reason given");
                let message = format!("the user's devices: {why}");
                return Seen::NotRead(Reply { error_message: Some(message.into()), ..reply });
            }
        };
        if page.get("@odata.nextLink").is_some_and(|link| !link.is_null()) {
            return refused("there are more than one page lists".into());
        }
        let listed = page.get("value").and_then(Value::as_array).into_iter().flatten();
        match listed.map(Identity::from_document).collect::<Option<Vec<_>>>() {
            None => refused("the list could not be understood".into()),
            Some(devices) => {
                identity.devices = Some(devices);
                Seen::Identity(Box::new(identity))
            }
        }
    }

    /// A name that the body of the request holds, and that is not the name of its account any more, or cannot be read.
    async fn moved_name(&self, job: &Job, client_request_id: &str) -> Option<Seen> {
        for (name, id) in job.names.iter().flat_map(|names| &names.in_body) {
            let bucket = Bucket { service: &DIRECTORY, access: Access::Read };
            let request = request::build_user_inspection(id);
            let path = request.path.clone();
            let answer = self.pass_and_exchange(bucket, request, &companion(client_request_id)).await;
            let read = document(answer, &path, Shape::Thing);
            let now = match read {
                Ok(user) => user.get("userPrincipalName").and_then(Value::as_str).unwrap_or_default().to_owned(),
                Err(reply) if reply.verdict == Verdict::Gone => String::new(),
                Err(reply) => return Some(Seen::NotRead(reply)),
            };
            if !now.eq_ignore_ascii_case(name) {
                let why = format!("`{name}` is not the name of account {id} any more");
                return Some(Seen::NotRead(Reply::none(Verdict::Refused, why, client_request_id.into())));
            }
        }
        None
    }

    /// One read for a job: a document that shows what was asked for, or the reply in place of it.
    async fn read(&self, request: GraphRequest<'_>, id: &str, job: &Job, shape: Shape) -> Result<Value, Reply> {
        let path = request.path.clone();
        let (reply, wire) = self.send(request, id, job.action.service, None).await;
        tracing::debug!(job = %job.id, status = reply.http_status, client_request_id = id, "read");
        document((reply, wire), &path, shape)
    }

    /// The code of what was approved, or the reason for what may have to be.
    fn approval_header(&self, job: &Job) -> Option<(HeaderName, HeaderValue)> {
        match self.code(job) {
            Some(code) => Some((CODE, HeaderValue::try_from(code.as_ref()).ok()?)),
            None => {
                let asked = || self.asked.read().unwrap_or_else(PoisonError::into_inner).contains(job.action.name);
                let reason = self.justification.clone().filter(|_| job.action.approvable || asked());
                Some((JUSTIFICATION, reason?))
            }
        }
    }

    /// What is lacking where the tenant asks for a reason. One that there is goes along from now on.
    fn lack(&self, action: &Action, sent: Option<HeaderName>) -> Lack {
        match sent {
            _ if self.justification.is_none() => Lack::Missing,
            Some(_) => Lack::NotSeen,
            None => {
                self.asked.write().unwrap_or_else(PoisonError::into_inner).insert(action.name);
                Lack::NotSent
            }
        }
    }
}

/// A success that a plan's own action does not know as one is no answer to rely on: something happened, and nobody knows
/// what. Of the actions of the catalog Microsoft's pages say which code they answer with, and another one is only remarked.
fn only_expected(action: &Action, reply: Reply) -> Reply {
    match (&reply.verdict, reply.http_status) {
        (Verdict::Succeeded, Some(status)) if action.is_unverified() && !action.expects(status) => {
            let message = format!("{status} is not among the answers that mean success");
            Reply { verdict: Verdict::Lost, error_message: Some(message.into()), ..reply }
        }
        _ => reply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{DIRECTORY, INTUNE_DEVICES};
    use crate::job::{Ids, JobParts};
    use crate::msgraph::token::Credentials;
    use crate::msgraph::transport::TransportError;
    use bytes::Bytes;
    use std::sync::{Arc, Mutex};

    /// Keeps the headers of what it is given, and answers 204.
    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<HeaderMap>>>);

    impl Transport for Recorder {
        async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
            self.0.lock().unwrap().push(request.headers);
            Ok(WireReply { status: http::StatusCode::NO_CONTENT, headers: HeaderMap::new(), body: Bytes::new() })
        }
    }

    fn client<T: Transport>(transport: &T, now: Timestamp) -> GraphClient<T> {
        let token = Credentials::AccessToken("t".to_owned().into());
        let tokens = TokenSource::new(transport.clone(), token, "https://l", "https://g");
        let gates = Gates::new(crate::pacing::Pacing::Off);
        GraphClient::new(transport.clone(), tokens, "https://g", Clock::starting_at(now), gates)
    }

    fn job(action: &str) -> Job {
        let action = Action::named(action).unwrap();
        Job::new(JobParts::plain(1, action, Ids::new(["7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11"])))
    }

    #[tokio::test]
    async fn nothing_is_sent_or_read_where_the_path_would_have_a_name_in_it() {
        let recorder = Recorder::default();
        let client = client(&recorder, Timestamp::UNIX_EPOCH);
        let action = Action::named("removeAllDevicesFromManagement").unwrap();
        let job = Job::new(JobParts::plain(1, action, Ids::new(["ada@contoso.com"])));
        assert_eq!(client.attempt(&job, "1").await.verdict, Verdict::Refused);
        assert!(matches!(
            client.read_back(&job, Since::by_this_clock(Timestamp::UNIX_EPOCH), "2").await,
            Evidence::CannotTell(_)
        ));
        let FollowUpRead::There(seen) = client.follow_up(&job, Timestamp::UNIX_EPOCH, "3").await.unwrap() else {
            panic!()
        };
        assert_eq!(seen.stage, Stage::Untold);
        assert!(recorder.0.lock().unwrap().is_empty());
    }

    /// Shows a device that was rebooted at that time, and is a quarter of a minute ahead of us.
    #[derive(Clone)]
    struct Ahead(&'static str);

    impl Transport for Ahead {
        async fn send(&self, _: WireRequest) -> Result<WireReply, TransportError> {
            let mut headers = HeaderMap::new();
            headers.insert(http::header::DATE, HeaderValue::from_static("Mon, 30 Nov 2026 07:00:15 GMT"));
            let entry =
                serde_json::json!({ "actionName": "rebootNow", "actionState": "done", "startDateTime": self.0 });
            let device =
                serde_json::json!({ "id": "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11", "deviceActionResults": [entry] });
            Ok(WireReply { status: http::StatusCode::OK, headers, body: device.to_string().into() })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_done_before_ours_by_the_service_s_clock_is_not_ours() {
        let now: Timestamp = "2026-11-30T07:00:00Z".parse().unwrap();
        for (started, is_ours) in [("2026-11-30T07:00:10Z", false), ("2026-11-30T07:00:15Z", true)] {
            let client = client(&Ahead(started), now);
            let evidence = client.read_back(&job("rebootNow"), Since::by_this_clock(now), "1").await;
            assert_eq!(matches!(evidence, Evidence::Effect(_)), is_ours, "{evidence:?}");
            let FollowUpRead::There(seen) = client.follow_up(&job("rebootNow"), now, "2").await.unwrap() else {
                panic!()
            };
            assert_eq!(seen.stage == Stage::Done, is_ours, "{seen:?}");
        }
    }

    const CODE: &str = "c0dec0de-0000-4000-8000-000000000001";

    /// Refuses what it is sent, in words that cite the code of a request, which is in that state.
    #[derive(Clone)]
    struct Refuses(&'static str);

    impl Transport for Refuses {
        async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
            let said = match request.method {
                http::Method::GET => serde_json::json!({ "value": [{ "id": CODE, "status": self.0 }] }),
                _ => serde_json::json!({ "error": {
                    "code": "Forbidden", "message": format!("x-msft-approval-code {CODE} has already been used")
                } }),
            };
            let status = if request.method == http::Method::GET { 200 } else { 403 };
            let status = http::StatusCode::from_u16(status).unwrap();
            Ok(WireReply { status, headers: HeaderMap::new(), body: said.to_string().into() })
        }
    }

    #[tokio::test]
    async fn a_refusal_that_cites_the_code_it_was_sent_with_has_filed_nothing() {
        for (state, verdict) in [("completed", Verdict::Lost), ("approved", Verdict::Refused)] {
            let client = client(&Refuses(state), Timestamp::UNIX_EPOCH);
            let wipe = job("wipe");
            let filed = client.attempt(&wipe, "1").await.verdict;
            assert_eq!(filed, Verdict::ApprovalRequired { code: CODE.into() }, "without a code it names a new one");
            client.complete(HashMap::from([(wipe.id, CODE.to_uppercase().into())]));
            assert_eq!(client.attempt(&wipe, "2").await.verdict, verdict);
        }
    }

    #[tokio::test]
    async fn a_low_priority_is_told_to_services_that_know_of_it_and_to_no_other() {
        let recorder = Recorder::default();
        let mut client = client(&recorder, Timestamp::UNIX_EPOCH);
        let entra_devices = job("deleteEntraDevice").action.service;
        for low in [false, true] {
            client = client.low_priority(low);
            for service in [&DIRECTORY, entra_devices, &INTUNE_DEVICES, &INTUNE_OTHER] {
                client.send(request::build(&job("retire")), "1", service, None).await;
            }
        }
        let sent = recorder.0.lock().unwrap();
        let told: Vec<_> = sent.iter().map(|headers| headers.get("x-ms-throttle-priority").is_some()).collect();
        assert_eq!(told, [false, false, false, false, true, true, false, false]);
        assert_eq!(sent[4].get("x-ms-throttle-priority"), Some(&HeaderValue::from_static("Low")));
    }

    #[tokio::test]
    async fn the_justification_goes_with_what_may_need_approval_and_with_nothing_else() {
        let recorder = Recorder::default();
        let client = client(&recorder, Timestamp::UNIX_EPOCH).justified(Some("CHG0012345 Übergabe"));
        client.attempt(&job("retire"), "1").await;
        client.attempt(&job("disableUser"), "2").await;
        client.read_back(&job("retire"), Since::by_this_clock(Timestamp::UNIX_EPOCH), "3").await;
        let sent = recorder.0.lock().unwrap();
        let reasons: Vec<_> = sent.iter().map(|headers| headers.get(JUSTIFICATION).cloned()).collect();
        assert_eq!(reasons, [Some(HeaderValue::from_static("Q0hHMDAxMjM0NSDDnGJlcmdhYmU=")), None, None]);
    }

    /// Asks for a justification, whatever it is sent.
    #[derive(Clone, Default)]
    struct Asks(Recorder);

    impl Transport for Asks {
        async fn send(&self, request: WireRequest) -> Result<WireReply, TransportError> {
            self.0.send(request).await?;
            let body =
                r#"{"error":{"code":"BadRequest","message":"Header 'x-msft-approval-justification' is required"}}"#;
            let status = http::StatusCode::BAD_REQUEST;
            Ok(WireReply { status, headers: HeaderMap::new(), body: Bytes::from_static(body.as_bytes()) })
        }
    }

    #[tokio::test]
    async fn what_asks_for_the_justification_is_given_it_once() {
        let asks = Asks::default();
        let client = client(&asks, Timestamp::UNIX_EPOCH).justified(Some("CHG0012345"));
        let asked = |lack| Verdict::JustificationRequired(lack);
        let user = job("disableUser");
        assert_eq!(client.attempt(&user, "1").await.verdict, asked(Lack::NotSent), "nobody knew that it is asked for");
        assert_eq!(client.attempt(&user, "2").await.verdict, asked(Lack::NotSeen));
        assert_eq!(client.attempt(&job("deprovision"), "3").await.verdict, asked(Lack::NotSeen));
        let sent: Vec<_> = asks.0.0.lock().unwrap().iter().map(|headers| headers.contains_key(JUSTIFICATION)).collect();
        assert_eq!(sent, [false, true, true]);
        let without = super::tests::client(&asks, Timestamp::UNIX_EPOCH);
        assert_eq!(without.attempt(&user, "4").await.verdict, asked(Lack::Missing));
    }
}
