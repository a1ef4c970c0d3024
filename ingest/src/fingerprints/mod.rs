//! Recognises the same picture again after it was saved, cropped or scanned once more.
//!
//! A picture is seen twice: as a whole, which survives saving in another format and size, and trimmed to its ink,
//! which survives lying elsewhere on the glass. Each view is a small grid with the light of its surroundings taken
//! away, so that white paper and brightness say nothing and two sheets are alike only where their ink is.

mod bands;
mod likeness;
mod view;

use image::RgbImage;

use self::view::View;

/// From this on two pictures are the same. Re-saved pictures reach 0.95, different papers on the same form 0.89.
const SAME_PICTURE: f32 = 0.92;

/// What is remembered of a picture to know it again. Says nothing readable about it, but is kept sealed all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    whole: View,
    trimmed: View,
}

/// Takes the fingerprint of a page; `None` when there is nothing on it.
pub fn fingerprint(page: &RgbImage) -> Option<Fingerprint> {
    let grey = view::Shade::of(page)?;
    let ink = view::ink_bounds(&grey)?;
    Some(Fingerprint { whole: View::of(&grey, grey.bounds())?, trimmed: View::of(&grey, ink)? })
}

impl Fingerprint {
    /// How many bytes `to_bytes` gives.
    pub const SIZE_BYTES: usize = 2 * view::CELLS;

    /// Keys of 24 bits for a table, each with its own index.
    ///
    /// Of pictures that are the same at least one key is equal at the same index; of others seldom any.
    pub fn bands(&self) -> Vec<u32> {
        let mut keys = bands::of(&self.whole, 0);
        keys.extend(bands::of(&self.trimmed, bands::PER_VIEW as u32));
        keys
    }

    /// How much two pictures differ: 0 when they are the same, about 1 when they have nothing in common.
    pub fn distance(&self, other: &Self) -> f32 {
        let whole = likeness::between(&self.whole, &other.whole);
        let trimmed = likeness::between(&self.trimmed, &other.trimmed);
        1.0 - whole.max(trimmed)
    }

    /// Whether the two are the same picture.
    pub fn is_same_picture(&self, other: &Self) -> bool {
        self.distance(other) <= 1.0 - SAME_PICTURE
    }

    /// The form it is stored in.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.whole.levels().chain(self.trimmed.levels()).map(i8::cast_unsigned).collect()
    }

    /// Takes back what was stored; `None` when it is not that.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (whole, trimmed) = bytes.split_at_checked(view::CELLS)?;
        Some(Self { whole: View::from_bytes(whole)?, trimmed: View::from_bytes(trimmed)? })
    }
}

#[cfg(test)]
mod tests;
