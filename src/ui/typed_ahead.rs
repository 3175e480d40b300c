//! What somebody has typed before they were asked.
//!
//! In: nothing. Out: a terminal that has nothing to be read. Must not: fail; where input is no terminal, all of it was there before, and
//! it is read as it comes.

/// Forgets what was typed so far: it answers no question that nobody had seen.
#[cfg(unix)]
pub(super) fn forget() {
    let _ = rustix::termios::tcflush(rustix::stdio::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// The console of Windows keeps what was typed, and there is no way to it without code of its own.
#[cfg(not(unix))]
pub fn forget() {}
