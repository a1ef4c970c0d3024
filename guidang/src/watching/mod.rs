//! Scanner folders: what is taken, when it has stood still, where it goes afterwards.

pub mod folder;
pub mod litter;
pub mod stillness;
pub mod unread;
