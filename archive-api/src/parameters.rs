//! Parameters and fields as the screen calls them, and what may stand in them: for whoever gave another value.

use serde_json::Value;

use crate::problem::{Kind, Problem};

/// A parameter or field.
struct Parameter {
    /// Its name in requests.
    name: &'static str,
    /// As the screen calls it.
    zh: &'static str,
    en: &'static str,
    /// What may stand in it.
    takes_zh: &'static str,
    takes_en: &'static str,
}

const fn parameter(
    name: &'static str,
    (zh, en): (&'static str, &'static str),
    (takes_zh, takes_en): (&'static str, &'static str),
) -> Parameter {
    Parameter { name, zh, en, takes_zh, takes_en }
}

const DAY: (&str, &str) = ("请写成 2026-09-18 这样的日期", "write a day such as 2026-09-18");
const YES_OR_NO: (&str, &str) = ("请写 true 或 false", "write true or false");
const OUTLET_CODE: (&str, &str) = (
    "最多 64 个字母或数字，可以有 - _ .，以字母或数字开头",
    "at most 64 letters or digits, with - _ . between them, a letter or digit first",
);
const TEXT: (&str, &str) = ("请写一段文字", "write a text");
const ID: (&str, &str) =
    ("请从列表或回执中取得编号", "take the id from a list or a receipt, as the archive gave it");
const WHOLE_NUMBER: (&str, &str) = ("请写一个整数", "write a whole number");

/// Everything that has a name on a screen or takes more than a text.
const PARAMETERS: [Parameter; 22] = [
    parameter("accepted_from", ("受理日期从", "Accepted from"), DAY),
    parameter("accepted_to", ("受理日期到", "Accepted to"), DAY),
    parameter("outlet", ("网点编码", "Outlet"), OUTLET_CODE),
    parameter("channel", ("渠道", "Channel"), TEXT),
    parameter("state", ("状态", "State"), ("请写一个状态代码", "write the code of a state")),
    parameter("finding", ("稽核问题", "Finding"), ("请写一个问题代码", "write the code of a finding")),
    parameter("code", ("稽核问题", "Finding"), ("请写一个问题代码", "write the code of a finding")),
    parameter("open_findings", ("有无待处理问题", "Open findings"), YES_OR_NO),
    parameter("open", ("案卷不存在时新建", "Open a case file if there is none"), YES_OR_NO),
    parameter(
        "slip_number",
        ("业务流水号", "Slip number"),
        (
            "1 到 64 个字母或数字，可以有 - _ / .，中间不能有空格或其他符号",
            "1 to 64 letters or digits, with - _ / . between them and no blanks or other signs",
        ),
    ),
    parameter(
        "slot",
        ("材料", "Document"),
        (
            "例如 slip、id_front、id_back",
            "one of the documents of a case file, such as slip, id_front or id_back",
        ),
    ),
    parameter("case_file_id", ("案卷", "Case file"), ID),
    parameter("case_file", ("案卷", "Case file"), ID),
    parameter("sort", ("排序", "Sort by"), ("请写 date 或 slip_number", "write date or slip_number")),
    parameter("count", ("计数", "Count"), ("请写 exact 或 capped", "write exact or capped")),
    parameter("limit", ("每页条数", "Rows of a page"), WHOLE_NUMBER),
    parameter("max_side", ("图片边长", "Longest side"), WHOLE_NUMBER),
    parameter("paper_index", ("单据序号", "Number of the paper"), WHOLE_NUMBER),
    parameter("size_bytes", ("文件大小", "Size of the file"), WHOLE_NUMBER),
    parameter(
        "at_least",
        ("变更号", "Change"),
        ("请用 Guidang-Change 或上传进度给出的数字", "use a number that Guidang-Change or an upload gave"),
    ),
    parameter("reason", ("原因", "Reason"), TEXT),
    parameter(
        "text",
        ("文字", "Text"),
        ("请用 UTF-8 写，最多 1024 个字节", "write it in UTF-8, with at most 1024 bytes"),
    ),
];

fn find(name: &str) -> Option<&'static Parameter> {
    PARAMETERS.iter().find(|parameter| parameter.name == name)
}

/// The value of a parameter or field cannot be used. `choices` are the words that could stand there, if there are any.
/// `name` is one of ours, never something that was sent.
pub(crate) fn not_usable(kind: Kind, name: &str, choices: &[&str]) -> Problem {
    let known = find(name);
    let (zh, en) = known.map_or((name, name), |known| (known.zh, known.en));
    let (takes_zh, takes_en) = match known {
        _ if !choices.is_empty() => {
            (format!("：可以是 {}", choices.join("、")), format!(": it takes {}", choices.join(", ")))
        }
        Some(known) => (format!("：{}", known.takes_zh), format!(": {}", known.takes_en)),
        None => (String::new(), String::new()),
    };
    Problem::new(kind)
        .with_detail(
            format!("“{zh}”的内容无效{takes_zh}。"),
            format!("\u{201c}{en}\u{201d} cannot be used{takes_en}."),
        )
        .with("field", Value::from(name))
}

/// A field that must be there is not.
pub(crate) fn missing(kind: Kind, name: &str) -> Problem {
    let (zh, en) = find(name).map_or((name, name), |known| (known.zh, known.en));
    Problem::new(kind)
        .with_detail(format!("缺少“{zh}”。"), format!("\u{201c}{en}\u{201d} is missing."))
        .with("field", Value::from(name))
}

/// A parameter or field was given that there is not.
pub(crate) fn unknown(kind: Kind, known: &[&str]) -> Problem {
    Problem::new(kind).with_detail(
        format!("请求里有不认识的参数或字段。可以用的有：{}。", known.join("、")),
        format!(
            "The request has a parameter or field that is not known here. Known are: {}.",
            known.join(", ")
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{language::Language, problem::kinds};

    #[test]
    fn a_field_is_called_as_on_the_screen_and_the_sentence_says_what_is_right() {
        let problem = not_usable(kinds::QUERY_INVALID, "accepted_from", &[]);

        let zh = problem.text(Language::Chinese);
        assert!(
            zh.contains("受理日期从") && zh.contains("2026-09-18") && !zh.contains("accepted_from"),
            "{zh}"
        );
        assert!(problem.text(Language::English).contains("Accepted from"));
    }
}
