//! What parent and child say to each other: frames of a JSON header and raw bytes over two pipes.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{inspection::ColourKind, limits::Limits, media_type::MediaType, refusal::Refusal};

/// Longest JSON header; the description of the most pages allowed fits many times.
const MAX_HEADER_BYTES: u32 = 4 << 20;

/// What the parent asks. The first request opens the scan and carries its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Take these bytes and describe them.
    Open {
        /// What may be spent.
        limits: Limits,
        /// Whether to go on where the kernel cannot confine the process.
        allow_unsandboxed: bool,
    },
    /// Decode one page.
    Render {
        /// Which page, from 0.
        page_index: usize,
        /// How large.
        resolution: Resolution,
    },
    /// The text layer of one page.
    Text {
        /// Which page, from 0.
        page_index: usize,
    },
}

/// How large a page is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// As stored; PDF pages at the resolution of their scan, or at 300 dpi.
    #[default]
    Native,
    /// Shrunk until the longer side has at most so many pixels.
    MaxSide(u32),
}

/// What the child answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The scan is open.
    Described(Description),
    /// A page; its pixels follow, one byte each when it is not in colour and three when it is.
    Page(PageFrame),
    /// A text layer; UTF-8 follows.
    Text,
    /// Only this page cannot be had.
    PageFailed(PageFault),
    /// The scan is not taken.
    Refused(Refusal),
    /// The kernel cannot confine the process.
    Unconfined(Confinement),
}

/// Which part of the confinement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confinement {
    /// Resource limits.
    Rlimit,
    /// The file system rules.
    Landlock,
    /// The system call filter.
    Seccomp,
}

/// Why one page cannot be had while the others can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageFault {
    /// There is no such page.
    NoSuchPage,
    /// Its data are broken.
    Damaged,
    /// It is written in a way that no decoder here reads.
    NotSupported,
    /// It is larger than a page may be.
    TooLarge,
    /// It has no text layer, or one that cannot be read.
    NoText,
}

/// The size of the pixels that follow.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PageFrame {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Pixels an inch.
    pub dpi: Option<f32>,
    /// What colours it holds.
    pub colour: ColourKind,
}

impl PageFrame {
    /// How many bytes of pixels follow.
    pub const fn body_bytes(&self) -> u64 {
        let channels = if matches!(self.colour, ColourKind::Colour) { 3 } else { 1 };
        self.width as u64 * self.height as u64 * channels
    }
}

/// What a scan is, page by page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// What kind of file.
    pub media_type: MediaType,
    /// Its pages in order.
    pub pages: Vec<PageDescription>,
}

/// One page of a scan, before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PageDescription {
    /// Pixels across at `Resolution::Native`, upright.
    pub width: u32,
    /// Pixels down at `Resolution::Native`, upright.
    pub height: u32,
    /// Pixels an inch, when the file says so.
    pub dpi: Option<f32>,
    /// What colours it is stored in.
    pub colour: ColourKind,
    /// Whether it carries text that can be asked for.
    pub has_text_layer: bool,
}

/// Writes one frame.
pub fn write_frame(pipe: &mut impl Write, header: &impl Serialize, body: &[u8]) -> io::Result<()> {
    let json = serde_json::to_vec(header)?;
    let header_bytes = u32::try_from(json.len()).map_err(io::Error::other)?;
    pipe.write_all(&header_bytes.to_le_bytes())?;
    pipe.write_all(&(body.len() as u64).to_le_bytes())?;
    pipe.write_all(&json)?;
    pipe.write_all(body)?;
    pipe.flush()
}

/// Reads one frame whose body may have at most `max_body_bytes`; `None` when the other side has finished.
pub fn read_frame<T: DeserializeOwned>(
    pipe: &mut impl Read,
    max_body_bytes: u64,
) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut lengths = [0_u8; 12];
    let mut filled = 0;
    while filled < lengths.len() {
        match pipe.read(&mut lengths[filled..])? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => filled += count,
        }
    }
    let [h0, h1, h2, h3, body_length @ ..] = lengths;
    let header_bytes = u32::from_le_bytes([h0, h1, h2, h3]);
    let body_bytes = u64::from_le_bytes(body_length);
    if header_bytes > MAX_HEADER_BYTES || body_bytes > max_body_bytes {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut json = vec![0; header_bytes as usize];
    pipe.read_exact(&mut json)?;
    let mut body = vec![0; usize::try_from(body_bytes).map_err(io::Error::other)?];
    pipe.read_exact(&mut body)?;
    Ok(Some((serde_json::from_slice(&json)?, body)))
}
