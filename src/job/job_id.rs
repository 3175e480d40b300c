//! What a job is called, whatever file or row it came from.
//!
//! In: action, route, ids and the body that is sent. Out: a [`JobId`]. Must not: change from version to version: the journal
//! knows jobs by it.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::ids::Ids;
use crate::catalog::{Action, IdKind, Route};

/// What a job is, whatever file or row it came from: a digest of action, target and parameters.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId([u8; 16]);

impl JobId {
    /// It is a digest already, so its first bytes are as good as a hash of it.
    pub fn as_hash(self) -> u64 {
        self.0.first_chunk().map_or(0, |first| u64::from_le_bytes(*first))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One write: a million rows show theirs, and sixteen formatted numbers each are slow.
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 32];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair.copy_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for JobId {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut bytes = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return Err(());
        }
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| ())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| ())?;
        }
        Ok(Self(bytes))
    }
}

/// A plan writes GUIDs like that already.
fn lower_case(text: &str) -> Cow<'_, str> {
    match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => Cow::Owned(text.to_ascii_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// The route is not part of the identity: two routes with the same ids reach the same target with the same effect.
/// `body`: the parameters as they are sent; empty where there are none.
pub(super) fn identify(action: &Action, route: &Route, ids: &Ids, body: &str) -> JobId {
    let mut digest = Sha256::new();
    digest.update(b"musterout/job/1\n");
    digest.update(action.name);
    // Two plans may mean different things by one name of their own.
    if action.is_unverified() {
        digest.update(format!("\n{} {}", route.method.name(), route.path));
    }
    for (name, value) in route.ids.iter().zip(ids.iter()) {
        digest.update(b"\n");
        digest.update(name.name);
        digest.update(b"=");
        match name.kind {
            IdKind::Guid | IdKind::User => digest.update(lower_case(value).as_bytes()),
            IdKind::Opaque => digest.update(value),
        }
    }
    digest.update(b"\n\n");
    digest.update(body);
    let mut id = [0; 16];
    id.copy_from_slice(&digest.finalize()[..16]);
    JobId(id)
}
