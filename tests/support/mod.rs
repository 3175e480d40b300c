//! What the tests share: the program as a child process, a server that records bytes, the simulator as a child.

pub mod program;
pub mod recorder;
pub mod simulator;
pub mod tls;
pub mod world;

/// A GUID that says which one it is.
pub fn guid(number: usize) -> String {
    format!("{number:08x}-0000-4000-8000-{number:012x}")
}
