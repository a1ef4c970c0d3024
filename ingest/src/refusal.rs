//! Why a file is not taken, in a sentence a clerk understands and with what to do about it.

use serde::{Deserialize, Serialize};

/// A file that is not taken. The page of the same code in `docs/errors/` says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
#[error("{}", self.message_en())]
pub enum Refusal {
    /// No bytes at all.
    EmptyFile,
    /// More bytes than one file may have.
    FileTooLarge {
        /// What is allowed.
        limit_bytes: u64,
    },
    /// HEIC or HEIF, what an iPhone makes by default.
    HeicNotSupported,
    /// A film or a live photo.
    VideoNotSupported,
    /// GIF.
    GifNotSupported,
    /// A Word, Excel or WPS document.
    OfficeNotSupported,
    /// ZIP, RAR, 7z, gzip or tar.
    ArchiveNotSupported,
    /// SVG or another drawing made of text.
    SvgNotSupported,
    /// A web page.
    HtmlNotSupported,
    /// A program.
    ExecutableNotSupported,
    /// Plain text.
    TextNotSupported,
    /// Nothing we know.
    FormatNotSupported,
    /// A known format written in a way that no decoder here reads.
    VariantNotSupported,
    /// Two formats at once; a different program would show something else.
    MixedFormats,
    /// Cut off or broken, or claims what cannot be.
    DamagedFile,
    /// No page in it.
    NoPages,
    /// A PDF that asks for a password or forbids reading.
    EncryptedPdf,
    /// More pages than one file may have.
    TooManyPages {
        /// What is allowed.
        limit_pages: u32,
    },
    /// One page is larger than a page may be.
    PageTooLarge {
        /// Which page, from 1.
        page_number: u32,
        /// What is allowed.
        limit_pixels: u64,
    },
    /// All pages together are larger than a file may be.
    ScanTooLarge {
        /// What is allowed.
        limit_pixels: u64,
    },
    /// A few bytes that claim to be a huge picture.
    ExpandsTooMuch {
        /// What is allowed.
        limit_ratio: u64,
    },
}

impl Refusal {
    /// The stable code, as in `docs/errors/<code>.md`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::EmptyFile => "empty_file",
            Self::FileTooLarge { .. } => "file_too_large",
            Self::HeicNotSupported => "heic_not_supported",
            Self::VideoNotSupported => "video_not_supported",
            Self::GifNotSupported => "gif_not_supported",
            Self::OfficeNotSupported => "office_not_supported",
            Self::ArchiveNotSupported => "archive_not_supported",
            Self::SvgNotSupported => "svg_not_supported",
            Self::HtmlNotSupported => "html_not_supported",
            Self::ExecutableNotSupported => "executable_not_supported",
            Self::TextNotSupported => "text_not_supported",
            Self::FormatNotSupported => "format_not_supported",
            Self::VariantNotSupported => "variant_not_supported",
            Self::MixedFormats => "mixed_formats",
            Self::DamagedFile => "damaged_file",
            Self::NoPages => "no_pages",
            Self::EncryptedPdf => "encrypted_pdf",
            Self::TooManyPages { .. } => "too_many_pages",
            Self::PageTooLarge { .. } => "page_too_large",
            Self::ScanTooLarge { .. } => "scan_too_large",
            Self::ExpandsTooMuch { .. } => "expands_too_much",
        }
    }

    /// The page it is about, from 1, where it is about one page.
    pub const fn page_number(self) -> Option<u32> {
        match self {
            Self::PageTooLarge { page_number, .. } => Some(page_number),
            _ => None,
        }
    }

    /// What happened and what to do, in English.
    pub fn message_en(self) -> String {
        match self {
            Self::FileTooLarge { limit_bytes } => {
                let limit = limit_bytes >> 20;
                format!(
                    "The file is larger than {limit} MB. Scan at 300 dpi, or split it into several files."
                )
            }
            Self::TooManyPages { limit_pages } => {
                format!("The file has more than {limit_pages} pages. Split it into several files.")
            }
            Self::PageTooLarge { page_number, limit_pixels } => {
                let limit = limit_pixels / 1_000_000;
                format!("Page {page_number} has more than {limit} million pixels. Scan it again at 300 dpi.")
            }
            Self::ScanTooLarge { limit_pixels } => {
                let limit = limit_pixels / 1_000_000;
                format!(
                    "The pages have more than {limit} million pixels together. Split it into several files."
                )
            }
            fixed => fixed.fixed_message_en().to_owned(),
        }
    }

    const fn fixed_message_en(self) -> &'static str {
        match self {
            Self::EmptyFile => {
                "The file is empty. Scan the paper again and check the file before sending it."
            }
            Self::HeicNotSupported => {
                "This is an iPhone picture (HEIC). Choose Settings > Camera > Formats > Most Compatible and take it \
                 again, or export it as JPEG."
            }
            Self::VideoNotSupported => {
                "This is a video. Take a photograph or scan the paper, and send a JPEG or PDF."
            }
            Self::GifNotSupported => {
                "GIF pictures are not accepted. Scan the paper again as JPEG, PNG, TIFF or PDF."
            }
            Self::OfficeNotSupported => {
                "This is an office document. Scan the signed paper itself, or print the document to PDF and send that."
            }
            Self::ArchiveNotSupported => {
                "This is a compressed archive. Unpack it and send the files in it one by one."
            }
            Self::SvgNotSupported => {
                "Vector drawings (SVG) are not accepted. Scan the paper as JPEG, PNG, TIFF or PDF."
            }
            Self::HtmlNotSupported => {
                "This is a web page, not a scan. Scan the paper as JPEG, PNG, TIFF or PDF."
            }
            Self::ExecutableNotSupported => {
                "This is a program, not a scan. Do not open it, and tell whoever looks after your computer."
            }
            Self::TextNotSupported => {
                "This is a text file, not a scan. Scan the paper as JPEG, PNG, TIFF or PDF."
            }
            Self::VariantNotSupported => {
                "The picture is stored in a rare way that cannot be read here. Save it again as JPEG, PNG or PDF."
            }
            Self::MixedFormats => {
                "The file contains two kinds of file in one. Scan the paper again, or print it to PDF and send that."
            }
            Self::DamagedFile => {
                "The file is damaged or was cut off on its way. Send it again, or scan the paper again."
            }
            Self::NoPages => {
                "There is no page in the file. Scan the paper again and check the file before sending it."
            }
            Self::EncryptedPdf => {
                "The PDF is protected by a password. Open it, print it to a new PDF without a password and send that."
            }
            Self::ExpandsTooMuch { .. } => {
                "The file claims to be far larger than its size allows. Scan the paper again, as JPEG or PDF."
            }
            _ => "This kind of file is not accepted. Send JPEG, PNG, TIFF, PDF, BMP or WebP.",
        }
    }

    /// What happened and what to do, in Chinese.
    pub fn message_zh(self) -> String {
        match self {
            Self::FileTooLarge { limit_bytes } => {
                let limit = limit_bytes >> 20;
                format!("文件超过 {limit} MB。请用 300 dpi 重新扫描，或分成几个文件上传。")
            }
            Self::TooManyPages { limit_pages } => {
                format!("文件超过 {limit_pages} 页。请分成几个文件上传。")
            }
            Self::PageTooLarge { page_number, limit_pixels } => {
                let limit = limit_pixels / 10_000;
                format!("第 {page_number} 页超过 {limit} 万像素。请用 300 dpi 重新扫描。")
            }
            Self::ScanTooLarge { limit_pixels } => {
                let limit = limit_pixels / 10_000;
                format!("全部页面合计超过 {limit} 万像素。请分成几个文件上传。")
            }
            fixed => fixed.fixed_message_zh().to_owned(),
        }
    }

    const fn fixed_message_zh(self) -> &'static str {
        match self {
            Self::EmptyFile => "文件是空的。请重新扫描，确认文件能打开后再上传。",
            Self::HeicNotSupported => {
                "这是苹果手机的 HEIC 照片。请在“设置 > 相机 > 格式”中选“兼容性最佳”后重拍，或另存为 JPEG 再上传。"
            }
            Self::VideoNotSupported => "这是视频。请对证件或单据拍照或扫描，上传 JPEG 或 PDF。",
            Self::GifNotSupported => "不接受 GIF 图片。请重新扫描为 JPEG、PNG、TIFF 或 PDF。",
            Self::OfficeNotSupported => "这是办公文档。请扫描已签字的纸质原件，或打印成 PDF 后上传。",
            Self::ArchiveNotSupported => "这是压缩包。请解压后逐个上传其中的文件。",
            Self::SvgNotSupported => "不接受矢量图（SVG）。请扫描为 JPEG、PNG、TIFF 或 PDF。",
            Self::HtmlNotSupported => "这是网页，不是扫描件。请扫描为 JPEG、PNG、TIFF 或 PDF。",
            Self::ExecutableNotSupported => "这是程序，不是扫描件。请不要打开它，并通知电脑维护人员。",
            Self::TextNotSupported => "这是文本文件，不是扫描件。请扫描为 JPEG、PNG、TIFF 或 PDF。",
            Self::VariantNotSupported => "图片的存储方式少见，无法读取。请另存为 JPEG、PNG 或 PDF 后上传。",
            Self::MixedFormats => "一个文件里混有两种文件。请重新扫描，或打印成 PDF 后上传。",
            Self::DamagedFile => "文件已损坏或传输不完整。请重新上传，或重新扫描。",
            Self::NoPages => "文件里没有页面。请重新扫描，确认文件能打开后再上传。",
            Self::EncryptedPdf => "PDF 有密码保护。请打开后打印成没有密码的 PDF 再上传。",
            Self::ExpandsTooMuch { .. } => "文件声称的尺寸与其大小不符。请重新扫描为 JPEG 或 PDF。",
            _ => "不接受这种文件。请上传 JPEG、PNG、TIFF、PDF、BMP 或 WebP。",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Refusal; 21] = [
        Refusal::EmptyFile,
        Refusal::FileTooLarge { limit_bytes: 64 << 20 },
        Refusal::HeicNotSupported,
        Refusal::VideoNotSupported,
        Refusal::GifNotSupported,
        Refusal::OfficeNotSupported,
        Refusal::ArchiveNotSupported,
        Refusal::SvgNotSupported,
        Refusal::HtmlNotSupported,
        Refusal::ExecutableNotSupported,
        Refusal::TextNotSupported,
        Refusal::FormatNotSupported,
        Refusal::VariantNotSupported,
        Refusal::MixedFormats,
        Refusal::DamagedFile,
        Refusal::NoPages,
        Refusal::EncryptedPdf,
        Refusal::TooManyPages { limit_pages: 200 },
        Refusal::PageTooLarge { page_number: 3, limit_pixels: 100_000_000 },
        Refusal::ScanTooLarge { limit_pixels: 2_000_000_000 },
        Refusal::ExpandsTooMuch { limit_ratio: 1000 },
    ];

    #[test]
    fn the_page_of_each_refusal_promises_its_sentences() {
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        for refusal in ALL {
            let page = format!("{}/../docs/errors/{}.md", env!("CARGO_MANIFEST_DIR"), refusal.code());
            let page = std::fs::read_to_string(&page).unwrap();
            for sentence in [refusal.message_en(), refusal.message_zh()] {
                let words = sentence.split(' ').map(|word| match word {
                    "3" => "P",
                    word if is_number(word) => "N",
                    word => word,
                });
                let promised = words.collect::<Vec<_>>().join(" ").replace("N dpi", "300 dpi");
                assert!(page.contains(&format!("> {promised}\n")), "{}: {promised}", refusal.code());
            }
        }
    }
}
