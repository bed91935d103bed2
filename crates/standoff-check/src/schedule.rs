//! placeholder
/// x
pub struct Schedule;
/// x
pub fn text() {}
