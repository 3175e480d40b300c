//! YAML files, read so that every fault has its place: file, line, column, what is wrong and what to do.
//!
//! In: a [`Source`](crate::source::Source). Out: a tree that a [`Reader`] holds against expectations, every fault at once;
//! or, by [`read`], a value of a type, or its first fault. Must not: know the keys of any file: plans, policies and
//! scenarios do.

mod fault;
mod reader;
mod tree;
mod typed;

pub(crate) use self::fault::FileKind;
pub(crate) use self::reader::{Entry, Reader};
pub(crate) use self::tree::{Node, Value, parse};
pub(crate) use self::typed::read;
