//! What is said of a scan that was taken and turned out not to be readable, in whole or in part.

use crate::Refusal;

/// What happened and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemMessage {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// The sentence for the code that a scan or page carries; `None` for a code that no decoder of this release gives.
pub fn problem_message(code: &str) -> Option<ProblemMessage> {
    // Those that say the same as at intake.
    const REFUSALS: [Refusal; 6] = [
        Refusal::VariantNotSupported,
        Refusal::MixedFormats,
        Refusal::DamagedFile,
        Refusal::NoPages,
        Refusal::EncryptedPdf,
        Refusal::FormatNotSupported,
    ];
    if let Some(refusal) = REFUSALS.into_iter().find(|refusal| refusal.code() == code) {
        return Some(ProblemMessage { zh: refusal.message_zh(), en: refusal.message_en() });
    }
    let (zh, en) = of_decoding(code)?;
    Some(ProblemMessage { zh: zh.to_owned(), en: en.to_owned() })
}

fn of_decoding(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "page_damaged" => ("有一页损坏。请重新扫描这一页。", "A page is broken. Scan that page again."),
        "page_not_supported" => (
            "有一页的存储方式少见，无法读取。请把这一页另存为 JPEG、PNG 或 PDF 后上传。",
            "A page is stored in a rare way that cannot be read here. Save it again as JPEG, PNG or PDF.",
        ),
        "page_too_large" => (
            "有一页的像素太多。请用 300 dpi 重新扫描。",
            "A page has too many pixels. Scan it again at 300 dpi.",
        ),
        "scan_too_large" => (
            "全部页面合计的像素太多。请分成几个文件上传。",
            "The pages have too many pixels together. Split it into several files.",
        ),
        "too_many_pages" => (
            "文件的页数太多。请分成几个文件上传。",
            "The file has too many pages. Split it into several files.",
        ),
        "expands_too_much" => (
            "文件声称的尺寸与其大小不符。请重新扫描为 JPEG 或 PDF。",
            "The file claims to be far larger than its size allows. Scan the paper again, as JPEG or PDF.",
        ),
        "no_such_page" => ("文件里没有这一页。", "The file has no such page."),
        "no_text_layer" => {
            ("这一页没有文字层，按图片识读。", "The page has no text layer; it is read as a picture.")
        }
        "decoder_timed_out" => (
            "打开文件用时过长，已停止。请打印成新的 PDF 或重新扫描后上传。",
            "Opening the file took too long and was stopped. Print it to a new PDF, or scan the paper again.",
        ),
        "decoder_out_of_memory" => (
            "打开文件需要的内存过多，已停止。请用 300 dpi 重新扫描，或分成几个文件上传。",
            "Opening the file takes too much memory. Scan it again at 300 dpi, or split it into several files.",
        ),
        "decoder_crashed" | "decoder_forbidden_call" => (
            "文件无法安全打开。请不要打开它，重新扫描纸质原件，并通知管理员。",
            "The file cannot be opened safely. Do not open it; scan the paper again and tell the administrator.",
        ),
        "sandbox_unavailable" | "decoder_not_started" => (
            "服务器暂时不能打开文件。文件已妥善保存，请通知管理员。",
            "The server cannot open files just now. The file is kept safe; tell the administrator.",
        ),
        "placing_given_up" => (
            "反复尝试后仍无法归入案卷。请手工归卷，或通知管理员。",
            "Putting it into a case file failed again and again. Place it by hand, or tell the administrator.",
        ),
        "reading_given_up" => (
            "反复尝试后仍无法识读。请手工归卷，或通知管理员。",
            "Reading it failed again and again. Place it by hand, or tell the administrator.",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PageFault;

    #[test]
    fn everything_that_a_decoder_says_has_a_sentence() {
        let faults = [
            PageFault::NoSuchPage,
            PageFault::Damaged,
            PageFault::NotSupported,
            PageFault::TooLarge,
            PageFault::NoText,
        ];
        let refusals = [
            Refusal::VariantNotSupported,
            Refusal::MixedFormats,
            Refusal::DamagedFile,
            Refusal::NoPages,
            Refusal::EncryptedPdf,
            Refusal::TooManyPages { limit_pages: 1 },
            Refusal::PageTooLarge { page_number: 1, limit_pixels: 1 },
            Refusal::ScanTooLarge { limit_pixels: 1 },
            Refusal::ExpandsTooMuch { limit_ratio: 1 },
        ];
        let others = [
            "decoder_timed_out",
            "decoder_out_of_memory",
            "decoder_forbidden_call",
            "decoder_crashed",
            "sandbox_unavailable",
            "decoder_not_started",
        ];
        let codes = faults.into_iter().map(PageFault::code).chain(refusals.into_iter().map(Refusal::code));
        for code in codes.chain(others) {
            let message = problem_message(code).unwrap();

            assert!(message.zh.ends_with('。') && message.en.ends_with('.'), "{code}");
        }
    }
}
