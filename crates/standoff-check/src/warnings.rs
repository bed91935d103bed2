//! placeholder
/// x
pub struct Warning;
/// x
pub fn warnings() {}
