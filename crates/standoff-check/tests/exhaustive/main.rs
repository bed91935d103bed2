//! The analysis against brute force: all interleavings, matchings and readings of small programs, and a checker of witnesses. Neither
//! shares code with the analysis.

mod brute;
mod checker;
mod generate;
mod job;
mod properties;
