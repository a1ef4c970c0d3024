//! Why a line was not imported, as a code and in words.

use serde::Serialize;

use crate::language::Language;

/// A line that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadLine {
    /// 1 for the first line of the file.
    pub line: u64,
    /// The column at fault, by its header; `None` when it is the line as a whole.
    pub column: Option<String>,
    /// A code of `docs/errors/entries.md`.
    pub reason: BadLineReason,
    /// How many values it has and how many it should have, where that is what is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Values>,
}

/// How many values a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Values {
    /// So many it has.
    pub found: usize,
    /// So many headers there are.
    pub expected: usize,
}

/// Why a line was not imported. Never names a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BadLineReason {
    /// More or fewer columns than headers.
    WrongNumberOfColumns,
    /// Not in the encoding of the file.
    NotText,
    /// Longer than a line may be.
    TooLong,
    /// A quotation mark is not closed, or text stands behind the one that closes a value.
    QuotationMark,
    /// Not a JSON object.
    NotJson,
    /// Neither text, number nor a list of them.
    WrongType,
    /// One column stands twice in the line, as by its header and by its key.
    ColumnTwice,
    /// Must be entered, or the acceptance cannot be told.
    Missing,
    /// Not a slip number.
    NotASlipNumber,
    /// Not an outlet code.
    NotAnOutletCode,
    /// Not a day, or none on which anything was accepted.
    NotADay,
    /// Longer than a value may be.
    ValueTooLong,
    /// Holds a control character.
    ControlCharacter,
    /// An earlier line of the same file says something else under this slip number.
    SlipNumberTwice,
    /// Its case file is being appraised or destroyed, or is gone.
    CaseFileClosed,
    /// Of an outlet that the account does not enter for.
    OutletNotYours,
}

impl BadLineReason {
    const fn sentences(self) -> (&'static str, &'static str) {
        match self {
            Self::WrongNumberOfColumns => (
                "列数与表头不同，请检查是否有未加引号的逗号",
                "as many values as headers are needed; look for a comma outside quotation marks",
            ),
            Self::NotText => (
                "编码与文件其余部分不同，请用同一种编码保存",
                "not in the encoding of the file; save it in one encoding",
            ),
            Self::TooLong => ("超过 64 KiB", "longer than 64 KiB"),
            Self::QuotationMark => (
                "引号没有闭合，或闭合后还有文字；值里的引号请写成两个，并把整个值放在引号里",
                "a quotation mark is not closed, or text stands behind the one that closes; write a mark within a value twice and put the value in quotation marks",
            ),
            Self::WrongType => (
                "不是文字、数字或它们的列表，请写成文字",
                "neither text nor number nor a list of them; write it as text",
            ),
            Self::ColumnTwice => (
                "这一行里同一列写了两次，无法确定用哪一个，请删除一个",
                "the column stands twice in the line, and nobody can say which is meant; take one out",
            ),
            Self::NotJson => ("不是 JSON 对象，每行写一个对象", "not a JSON object; write one on each line"),
            Self::Missing => {
                ("没有填写，无法确定是哪一笔受理", "empty, so that the acceptance cannot be told; enter it")
            }
            Self::NotASlipNumber => (
                "不是业务流水号：最多 64 个字母、数字或连字符",
                "no slip number: at most 64 letters, digits or hyphens",
            ),
            Self::NotAnOutletCode => (
                "不是网点编码：最多 64 个字母、数字、连字符、下划线或点",
                "no outlet code: at most 64 letters, digits, hyphens, underscores or dots",
            ),
            Self::NotADay => (
                "不是 1990 年至 2999 年间的日期，请写成 2026-09-18",
                "no day of the years 1990 to 2999; write it as 2026-09-18",
            ),
            Self::ValueTooLong => ("超过 500 个字符", "longer than 500 characters"),
            Self::ControlCharacter => ("含有控制字符，请删除", "holds a control character; remove it"),
            Self::SlipNumberTwice => (
                "同一文件中前面的行已用此流水号录入了不同内容，保留前面的行",
                "an earlier line of the file says something else under this slip number; the earlier one is kept",
            ),
            Self::CaseFileClosed => (
                "案卷正在鉴定或销毁，或已销毁，请联系档案员",
                "its case file is being appraised or destroyed, or is gone; ask the archivist",
            ),
            Self::OutletNotYours => {
                ("不是您可以录入的网点", "of an outlet that this account does not enter for")
            }
        }
    }
}

impl BadLine {
    /// What is wrong and what to do, in English.
    pub fn sentence(&self) -> String {
        self.told(Language::English)
    }

    /// What is wrong and what to do. Never names a value.
    pub(crate) fn told(&self, language: Language) -> String {
        let (chinese, english) = self.reason.sentences();
        let told = language.pick(chinese, english);
        match self.values {
            Some(Values { found, expected }) => match language {
                Language::Chinese => format!("有 {found} 个值，表头有 {expected} 列：{told}"),
                Language::English => format!("{found} values under {expected} headers: {told}"),
            },
            None => told.to_owned(),
        }
    }
}
