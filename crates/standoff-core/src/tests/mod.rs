//! Random graphs against an independent brute force.

mod oracle;
mod properties;
