//! Numbers out of untrusted bytes: every read may fail and none may panic.

use super::source::Source;

/// In which order the bytes of a number stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// Least significant first (Intel).
    Little,
    /// Most significant first (Motorola).
    Big,
}

/// Reads `N` bytes at `offset`.
pub fn array<const N: usize>(bytes: &(impl Source + ?Sized), offset: usize) -> Option<[u8; N]> {
    bytes.part(offset..offset.checked_add(N)?)?.as_ref().try_into().ok()
}

/// Reads 16 bits at `offset`.
pub fn u16_at(bytes: &(impl Source + ?Sized), offset: usize, order: ByteOrder) -> Option<u16> {
    let field = array(bytes, offset)?;
    Some(match order {
        ByteOrder::Little => u16::from_le_bytes(field),
        ByteOrder::Big => u16::from_be_bytes(field),
    })
}

/// Reads 32 bits at `offset`.
pub fn u32_at(bytes: &(impl Source + ?Sized), offset: usize, order: ByteOrder) -> Option<u32> {
    let field = array(bytes, offset)?;
    Some(match order {
        ByteOrder::Little => u32::from_le_bytes(field),
        ByteOrder::Big => u32::from_be_bytes(field),
    })
}

/// Reads 64 bits at `offset`.
pub fn u64_at(bytes: &(impl Source + ?Sized), offset: usize, order: ByteOrder) -> Option<u64> {
    let field = array(bytes, offset)?;
    Some(match order {
        ByteOrder::Little => u64::from_le_bytes(field),
        ByteOrder::Big => u64::from_be_bytes(field),
    })
}
