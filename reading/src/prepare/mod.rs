//! From the page as decoded to pictures an engine reads well: turned, straightened, cut out, evened.

pub mod bilevel;
pub mod content;
pub mod geometry;
pub mod ink;
pub mod levels;
pub mod light;
pub mod upright;
pub mod warp;
