//! What can be told of a PDF without parsing it; the rest happens in the decoder's own process.

mod encryption;
mod objects;

use super::{source::Source, trailer};
use crate::{media_type::find, refusal::Refusal};

/// How much of the end is searched for the mark that ends every PDF.
const END_WINDOW: usize = 64 << 10;

/// Refuses a PDF that lost its end, whose end is that of another kind of file, or that asks for a password.
pub fn check(bytes: &(impl Source + ?Sized)) -> Result<(), Refusal> {
    trailer::refuse_archive(bytes, 0)?;
    let size = bytes.size();
    let end = bytes.part(size.saturating_sub(END_WINDOW)..size).ok_or(Refusal::DamagedFile)?;
    if find(&end, b"%%EOF").is_none() && find(&end, b"startxref").is_none() {
        return Err(Refusal::DamagedFile);
    }
    encryption::refuse_locked(bytes, &end)
}
