//! What the tests share: the program as a child process, a server that records bytes, the simulator as a child.

pub mod program;
pub mod recorder;
pub mod simulator;
pub mod tls;
pub mod world;

/// How many jobs are left, where a run does not go on before somebody has confirmed that number.
pub fn left_to_confirm(error: &musterout::testing::ops::Error) -> Option<u32> {
    let musterout::testing::ops::Error::Refused(fault) = error else { return None };
    let (_, number) = fault.help.as_deref()?.rsplit_once("--confirm ")?;
    (fault.code == "not-confirmed").then(|| number.parse().ok())?
}

/// A GUID that says which one it is.
pub fn guid(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}
