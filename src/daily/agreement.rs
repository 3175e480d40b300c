//! Whether a refusal that reads as one of the day's limit is one: a second target has to be told the same.
//!
//! In: refusals whose words are those of a daily limit, and what passes. Out: whether two targets agree, and which jobs
//! nobody agreed with. Pure. Must not: read words; [`super::Rules`] does.
//!
//! Nobody has published what is answered beyond a daily limit. A device that was enrolled less than a day ago, or a
//! role that was given just now, may be refused in the same words; that concerns one target, and no other row.

use crate::outcome::Reply;

/// What was answered, of which limit.
type RefusalText = (usize, Option<u16>, Option<Box<str>>);

/// Who was told so, of each limit, since something of it last passed.
#[derive(Debug, Default)]
pub(crate) struct SameRefusals {
    told: Vec<RefusedTargets>,
    /// What two targets were told, so that one is enough from then on.
    known: Vec<RefusalText>,
}

#[derive(Debug)]
struct RefusedTargets {
    answer: RefusalText,
    job: u32,
    target: Box<str>,
}

impl SameRefusals {
    /// A job was refused in words of that limit. Whether another target was told the same: the same status and code.
    pub(crate) fn hear(&mut self, limit: usize, job: u32, target: &str, reply: &Reply) -> bool {
        let answer = (limit, reply.http_status, reply.error_code.clone());
        if self.known.contains(&answer) {
            return true;
        }
        let mut same = self.told.iter().filter(|told| told.answer == answer);
        if same.clone().any(|told| !told.target.eq_ignore_ascii_case(target)) {
            self.known.push(answer);
            return true;
        }
        if !same.any(|told| told.job == job) {
            self.told.push(RefusedTargets { answer, job, target: target.into() });
        }
        false
    }

    /// Something of that limit went through, or nobody else is left to be asked: the jobs that were told so.
    pub(crate) fn forget(&mut self, limit: usize) -> Vec<u32> {
        self.told.extract_if(.., |told| told.answer.0 == limit).map(|told| told.job).collect()
    }

    /// For the next round: what is known stays so, and nobody waits.
    pub(crate) fn next_round(self) -> Self {
        Self { told: Vec::new(), ..self }
    }

    /// Whether that job was told so.
    pub(crate) fn has(&self, limit: usize, job: u32) -> bool {
        self.told.iter().any(|told| (told.answer.0, told.job) == (limit, job))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Verdict;

    fn refused(status: u16, code: &str) -> Reply {
        let reply = Reply::none(Verdict::Refused, "The daily limit is reached", "c".into());
        Reply { http_status: Some(status), error_code: Some(code.into()), ..reply }
    }

    #[test]
    fn two_targets_agree_if_status_and_code_are_the_same() {
        let mut agreement = SameRefusals::default();
        assert!(!agreement.hear(0, 1, "a", &refused(403, "Forbidden")));
        assert!(!agreement.hear(0, 1, "A", &refused(403, "Forbidden")), "one target, however often it asks");
        assert!(!agreement.hear(0, 2, "b", &refused(400, "Forbidden")));
        assert!(!agreement.hear(0, 3, "c", &refused(403, "BadRequest")));
        assert!(!agreement.hear(1, 4, "d", &refused(403, "Forbidden")));
        assert!(agreement.hear(0, 5, "e", &refused(403, "Forbidden")));
        assert_eq!(agreement.forget(0), [1, 2, 3]);
        assert!(agreement.hear(0, 5, "e", &refused(403, "Forbidden")), "it is known by now");
        assert!(!agreement.hear(0, 5, "e", &refused(400, "Forbidden")));
        assert!(agreement.has(0, 5) && agreement.has(1, 4) && !agreement.has(0, 1));
    }
}
