//! Untrusted bytes become a described scan here, and nowhere else.
//!
//! Owns: telling files apart by content, limits checked before decoding, the confined decoder process, pages as
//! pixels, barcodes, and fingerprints that recognise the same picture again.
//! Refuses storage, queues, HTTP and recognition of text; nothing is ever written to disk.
//! Start with `inspect`, then `Sandbox`.

mod barcodes;
mod decoding;
mod fingerprints;
mod inspection;
mod limits;
mod media_type;
mod page_image;
mod problem_message;
mod refusal;
mod sandbox;

pub use barcodes::{Barcode, Symbology, find_barcodes};
pub use fingerprints::{Fingerprint, fingerprint};
pub use inspection::{ColourKind, Inspection, PageHeader, inspect, inspect_from};
pub use limits::Limits;
pub use media_type::{HEAD_BYTES, MediaType, sniff};
pub use page_image::{DerivativeError, PageImage, encode_derivative};
pub use problem_message::{ProblemMessage, problem_message};
pub use refusal::Refusal;
pub use sandbox::{
    Confinement, DECODE_SUBCOMMAND, DECODER_VERSION, DecodeError, DecodeSession, Description,
    PageDescription, PageFault, Resolution, Sandbox, decoder_main,
};
