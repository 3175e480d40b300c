//! Log lines on stderr.
//!
//! In: `-v` and `--log-format`. Out: a global subscriber. Must not: let other crates log: what they write about
//! requests is not known to be free of secrets. Nor may a line hold what a terminal would obey.

use std::fmt::Debug;
use std::io::{self, Write};

use tracing::Subscriber;
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use super::args::{Arguments, LogFormat};
use crate::text::{Medium, harmless, visible};
use crate::ui::stderr::Stderr;
use crate::ui::style::{FAINT, paint};

pub(super) fn start(arguments: &Arguments, stderr: &Stderr) {
    let level = match arguments.verbose {
        0 => "warn",
        1 => "info",
        _ => "debug",
    };
    let stderr_too = stderr.clone();
    let writer = move || stderr_too.clone();
    // A subscriber that is set already (by a test) stays.
    let _ = tracing::subscriber::set_global_default(subscriber(level, arguments.log_format, stderr.styled(), writer));
}

type Boxed = Box<dyn Subscriber + Send + Sync>;

fn subscriber<W, M>(level: &str, form: LogFormat, styled: bool, writer: M) -> Boxed
where
    W: Write + 'static,
    M: Fn() -> W + Send + Sync + 'static,
{
    let filter = EnvFilter::new(format!("off,musterout={level}"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter);
    match form {
        LogFormat::Json => {
            Box::new(builder.json().flatten_event(true).with_writer(move || JsonLines(writer())).finish())
        }
        LogFormat::Text => {
            let fields = debug_fn(field).delimited(" ");
            Box::new(builder.with_ansi(styled).with_target(false).fmt_fields(fields).with_writer(writer).finish())
        }
    }
}

/// `name=value`, or the message alone.
fn field(out: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let text = format!("{value:?}");
    let text = visible(&text);
    match field.name() {
        "message" => write!(out, "{text}"),
        name => write!(out, "{}{text}", paint(out.has_ansi_escapes(), FAINT, &format!("{name}="))),
    }
}

/// Whole lines of JSON.
struct JsonLines<W>(W);

impl<W: Write> Write for JsonLines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    fn write_all(&mut self, line: &[u8]) -> io::Result<()> {
        self.0.write_all(harmless(&String::from_utf8_lossy(line), Medium::Json).as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(form: LogFormat, styled: bool) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        tracing::subscriber::with_default(subscriber("info", form, styled, move || writer.clone()), || {
            let foreign = "a\u{1b}[2J\nINFO b\u{202e}c\u{9b}d";
            tracing::info!(reason = %foreign, row = 7, "tried {foreign}");
        });
        String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn foreign_text_is_one_line_of_the_log_and_steers_nothing() {
        let text = logged(LogFormat::Text, false);
        let seen = "a\u{fffd}[2J INFO b\u{fffd}c\u{fffd}d";
        assert!(text.ends_with(&format!("INFO tried {seen} reason={seen} row=7\n")), "{text:?}");
        let text = logged(LogFormat::Text, true);
        assert!(
            text.ends_with(&format!("tried {seen} \u{1b}[2mreason=\u{1b}[0m{seen} \u{1b}[2mrow=\u{1b}[0m7\n")),
            "{text:?}"
        );
    }

    #[test]
    fn a_log_of_json_is_exact() {
        let text = logged(LogFormat::Json, false);
        assert!(text.contains(r"a\u001b[2J\nINFO b\u202ec\u009bd"), "{text:?}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["reason"], "a\u{1b}[2J\nINFO b\u{202e}c\u{9b}d");
    }
}
