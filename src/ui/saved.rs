//! What stands below a preview that was saved.
//!
//! In: the preview and the head of its file. Out: what was seen, until when it is good, how it is run. Must not: leave out
//! that nobody looked.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::style::{OPEN, View, paint};
use super::text::{count, count_of};
use crate::guard::drift::Sighting;
use crate::moment::moment;
use crate::preview::Preview;
use crate::preview::saved::Head;
use crate::text::visible;

/// `now` tells whether it is still good.
pub(crate) fn render(
    preview: &Preview<'_>,
    head: &Head,
    (file, digest): (&str, &str),
    now: Timestamp,
    view: View,
) -> String {
    let mut text = format!("\n{}\n", seen(preview, head, view));
    let tenant = head.tenant.as_deref().or(head.tenant_id.as_deref()).unwrap_or("the simulated tenant");
    let good = match now < head.expires {
        true => format!("valid until {}", moment(head.expires)),
        false => paint(view.styled, OPEN, &format!("expired at {}", moment(head.expires))),
    };
    let _ = writeln!(text, "saved in {}, for {}, {good}", visible(file), visible(tenant));
    let _ = writeln!(text, "sha256:{digest}");
    if now >= head.expires {
        return text;
    }
    let confirm = if preview.asks() { format!(" --confirm {}", preview.send()) } else { String::new() };
    let simulate = if head.simulated { " --simulate" } else { "" };
    let _ = writeln!(text, "Next: musterout run {}{simulate}{confirm}", visible(file));
    text
}

fn seen(preview: &Preview<'_>, head: &Head, view: View) -> String {
    if let Some(why) = &head.not_read {
        let text =
            format!("No target was read ({}), so nothing can be compared when the preview is run.", visible(why));
        return paint(view.styled, OPEN, &text);
    }
    let of = |test: fn(&Sighting) -> bool| preview.rows().filter_map(|row| row.sighting).filter(|it| test(it)).count();
    let seen = of(|sighting| matches!(sighting, Sighting::Identity(_)));
    let gone = of(|sighting| matches!(sighting, Sighting::Gone));
    let failed = of(|sighting| matches!(sighting, Sighting::NotRead(_)));
    let mut text = format!("The targets of {} were seen", count_of(seen, "row"));
    if gone > 0 {
        let _ = write!(text, ", of {} not there", count(gone));
    }
    if failed > 0 {
        let _ = write!(text, ", of {} not to be read", count(failed));
    }
    text.push('.');
    text
}
