//! Files as text: read within a limit, decoded, and able to say where something stands.
//!
//! In: a path. Out: a [`Source`], or the fault that kept it from being read. Must not: know what the text means.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::diagnostics::{Diagnostic, Place};

/// The text of a file under the name that its user knows.
#[derive(Debug)]
pub(crate) struct Source {
    pub name: String,
    /// Without a byte order mark.
    pub text: String,
    pub encoding: &'static str,
    pub fingerprint: Fingerprint,
}

/// Tells whether bytes are the ones that were read before, within one process. Its keys are random, so that nobody can
/// prepare two texts that look the same to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint(u64);

impl Fingerprint {
    pub fn of(bytes: &[u8]) -> Self {
        static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let mut hasher = KEYS.build_hasher();
        hasher.write(bytes);
        Self(hasher.finish())
    }
}

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Where something stands in a [`Source`]: line and column from 1, and the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub line: u32,
    pub column: u32,
    pub start: usize,
    pub end: usize,
}

impl Source {
    /// Reads and decodes the file at `path`, unless it is larger than `limit` bytes.
    pub(crate) fn read(path: &Path, limit: u64) -> Result<Self, Box<Diagnostic>> {
        let name = path.display().to_string();
        let bytes = bytes(path, limit).map_err(|fault| Box::new((*fault).at(Place::file(&name))))?;
        Self::decode(name, bytes)
    }

    /// The text that `bytes` hold. A list may have a million rows, so that UTF-8 is not copied.
    pub(crate) fn decode(name: String, bytes: Vec<u8>) -> Result<Self, Box<Diagnostic>> {
        let (encoding, fingerprint) = (encoding_of(&bytes), Fingerprint::of(&bytes));
        let bytes = match String::from_utf8(bytes) {
            Ok(text) if encoding == UTF_8 && !text.starts_with(BYTE_ORDER_MARK) => {
                return Ok(Self { name, text, encoding: encoding.name(), fingerprint });
            }
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let bytes = bytes.as_slice();
        let mut decoder = encoding.new_decoder_with_bom_removal();
        let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len());
        let mut text = String::with_capacity(room);
        let (result, read) = decoder.decode_to_string_without_replacement(bytes, &mut text, true);
        match result {
            DecoderResult::InputEmpty => Ok(Self { name, text, encoding: encoding.name(), fingerprint }),
            DecoderResult::Malformed(..) | DecoderResult::OutputFull => {
                let end = text.len();
                let mut place = Place::in_text(name, &text, end..end);
                place.excerpt = None;
                let line = place.line.unwrap_or(1);
                let message = format!(
                    "line {line} is not valid {}: the bytes before offset {read} are not text",
                    encoding.name()
                );
                let fault = Diagnostic::error("bad-encoding", message).at(place);
                Err(Box::new(fault.help("save the file as UTF-8 (in Excel: \"CSV UTF-8\")")))
            }
        }
    }

    /// The byte at which that line and column, both from 1, begin.
    pub(crate) fn offset_of(&self, line: usize, column: usize) -> usize {
        let line_start: usize = self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = self.text.get(line_start..).unwrap_or_default();
        line_start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
    }

    /// `span` as a place to show.
    pub(crate) fn place(&self, span: &Span) -> Place {
        let end = span.end.max(self.end_of_word(span.start));
        Place::known(&self.name, &self.text, span.line as usize, span.column as usize, span.start..end)
    }

    /// Something that starts a list or map has no width of its own: the first word is underlined then.
    fn end_of_word(&self, start: usize) -> usize {
        let rest = self.text.get(start..).unwrap_or_default();
        let width = rest.char_indices().take(60).find(|(_, c)| c.is_whitespace() || *c == ':');
        start + width.map_or(0, |(at, _)| at)
    }
}

fn bytes(path: &Path, limit: u64) -> Result<Vec<u8>, Box<Diagnostic>> {
    let unreadable = |error: std::io::Error| {
        Box::new(match error.kind() {
            std::io::ErrorKind::NotFound => Diagnostic::error("missing-file", "the file does not exist"),
            _ => Diagnostic::error("unreadable-file", format!("the file cannot be read: {error}")),
        })
    };
    let too_large = || {
        let message = format!("the file is larger than {} MiB", limit >> 20);
        Box::new(Diagnostic::error("too-large", message).help("make it smaller, or split it"))
    };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if about.is_dir() {
        return Err(Box::new(Diagnostic::error("unreadable-file", "this is a folder, not a file")));
    }
    if !about.is_file() {
        return Err(Box::new(Diagnostic::error("unreadable-file", "this is not a regular file")));
    }
    if about.len() > limit {
        return Err(too_large());
    }
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::with_capacity(usize::try_from(about.len()).unwrap_or(0));
    // It may have grown since.
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(too_large());
    }
    Ok(bytes)
}

/// By the byte order mark; without one, a NUL in the first character tells UTF-16, because no text starts with one.
fn encoding_of(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    match bytes {
        [0, second, ..] if *second != 0 => UTF_16BE,
        [first, 0, ..] if *first != 0 => UTF_16LE,
        _ => UTF_8,
    }
}
