//! Pictures written by hand: deadlocks with their cured twins, near misses that must stay silent, words, and size.

mod deadlocks;
mod dsl;
mod persistent;
mod scale;
mod silent;
mod words;
