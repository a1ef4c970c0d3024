//! Print around a signature told from a name by what it reads as.

/// Words printed around signature fields.
const PRINTED_WORDS: [&str; 16] = [
    "签字",
    "签名",
    "签章",
    "盖章",
    "日期",
    "签署",
    "复核",
    "客户",
    "用户",
    "工号",
    "稽核",
    "受理",
    "经办",
    "电话",
    "年月日",
    "本人",
];

/// A name has no more characters of Han than this; terms in small print have.
const LONGEST_NAME: usize = 12;

/// Whether a text is a date, a number, a label or a sentence rather than a name, also a name behind a label.
pub(crate) fn is_print(text: &str) -> bool {
    let solid: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let of_a_date =
        solid.iter().filter(|c| c.is_ascii_digit() || "年月日./-,:：，。、—".contains(**c)).count();
    let digits = solid.iter().filter(|c| c.is_ascii_digit()).count();
    let is_date =
        solid.len() >= 3 && of_a_date * 10 >= solid.len() * 7 && (digits >= 2 || text.contains('年'));
    let han = |text: &str| text.chars().filter(|c| matches!(c, '\u{3400}'..='\u{9fff}')).count();
    let mut rest = text.to_owned();
    for word in PRINTED_WORDS {
        rest = rest.replace(word, "");
    }
    let is_label = rest.len() < text.len() && han(&rest) < 2;
    is_date || is_label || han(text) > LONGEST_NAME
}

/// Whether a text has as many characters of Han as a name has at least.
pub(crate) fn may_be_name(text: &str) -> bool {
    text.chars().filter(|c| matches!(c, '\u{3400}'..='\u{9fff}')).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_labels_and_terms_are_print_and_names_are_not() {
        for text in [
            "2026.09.02",
            "2026年9月2日",
            "签字日期：",
            "受理工号 1",
            "日期",
            "本人已阅读并同意以上各项条款内容",
        ] {
            assert!(is_print(text), "{text}");
        }
        for text in ["王涛", "：欧阳修远", "签字：李浩然", "阿依古丽·哈不都", "", "9"] {
            assert!(!is_print(text), "{text}");
        }
    }
}
