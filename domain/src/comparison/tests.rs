use chrono::NaiveDate;

use super::{AddressPart as P, *};

fn check(kind: ValueKind, entered: &str, read: &str, expected: Option<Difference>) {
    let comparison = compare(kind, entered, read);
    assert_eq!(comparison.difference, expected, "{entered} / {read}");
    assert_eq!(comparison.agrees(), expected.is_none(), "{entered} / {read}");
}

#[test]
fn names_are_the_same_after_folding_and_no_further() {
    let check = |entered, read, expected| check(ValueKind::Name, entered, read, expected);

    check("王小明", " 王 小明", None);
    check("阿依古丽·买买提", "阿依古丽・买买提", None);
    check("阿依古丽.买买提", "阿依古丽•买买提", None);
    check("Anna Smith", "ＡＮＮＡ SMITH", None);
    check("王小明", "王小朋", Some(Difference::OneCharacter));
    check("王小明", "王明小", Some(Difference::Swapped));
    check("王小明", "王小", Some(Difference::OneCharacter));
    check("张国峰", "張國峯", Some(Difference::Variant));
    check("张国峰", "張國锋", Some(Difference::Conflicting));
    check("王小明", "李建国", Some(Difference::Conflicting));
    check("王小明", "", Some(Difference::Missing));
}

#[test]
fn an_address_may_leave_out_province_and_city_but_no_digit_may_differ() {
    let check = |entered, read, expected| check(ValueKind::Address, entered, read, expected);
    let whole = "天津市河西区友谊路昌源里12号楼3门401号";

    check(whole, "河西区友谊路昌源里12号楼3门401号", None);
    check(whole, "天津市天津市河西区友谊路昌源里12号楼3门401号", None);
    check(whole, "天津市市辖区河西区友谊路昌源里１２号楼 3门401室", None);
    check(whole, "天津河西区友谊路昌源里12栋3单元401", None);
    check("河北省石家庄市长安区黄河道3号楼1门2号", "石家庄长安区黄河道3号楼1门2号", None);
    check("河北省石家庄市长安区黄河道3号楼1门2号", "河北省长安区黄河道3号楼1门2号", None);
    check("重庆市渝中区解放南路29号楼5门1901号", "渝中区解放南路29号楼5门1901号", None);

    check(whole, "天津市河西区友谊路昌源里12号楼3门402号", Some(Difference::OneCharacter));
    check(whole, "天津市河西区友谊路昌源里21号楼3门401号", Some(Difference::Swapped));
    check(whole, "天津市河东区友谊路昌源里12号楼3门401号", Some(Difference::OneCharacter));
    assert!(!compare(ValueKind::Address, whole, "友谊路昌源里12号楼3门401号").agrees());
    assert!(!compare(ValueKind::Address, whole, "上海市河西区友谊路昌源里12号楼3门401号").agrees());
    assert!(!compare(ValueKind::Address, "中山路1栋23室", "中山路12栋3室").agrees());
    assert!(!compare(ValueKind::Address, "中山路1-23", "中山路12-3").agrees());
}

#[test]
fn a_road_named_after_a_city_stays_a_road() {
    let address = parse_address("南京市鼓楼区天津路5号");

    assert_eq!(address.regions, ["南京市", "鼓楼区"]);
    assert_eq!(address.pieces[0], AddressPiece { part: AddressPart::Road, text: "天津路".to_owned() });
    assert!(parse_address("天津路5号").regions.is_empty());
}

#[test]
fn an_address_is_taken_apart_into_its_parts() {
    let parts: Vec<_> = parse_address("天津市河西区友谊路5号昌源里12号楼3门401号")
        .pieces
        .into_iter()
        .map(|p| p.part)
        .collect();

    assert_eq!(parts, [P::Road, P::RoadNumber, P::Compound, P::Building, P::Door, P::Room]);
}

#[test]
fn days_are_compared_as_days() {
    let check = |entered, read, expected| check(ValueKind::Date, entered, read, expected);

    check("2016-01-09", "2016.01.09", None);
    check("2016年1月9日", "20160109", None);
    check("长期", "長期", None);
    check("2016-01-09", "2016-01-08", Some(Difference::OneCharacter));
    assert_eq!(parse_date("2016/1/9"), NaiveDate::from_ymd_opt(2016, 1, 9).map(DateValue::Day));
    for text in ["2016-02-30", "", "长", "2016", "２０１６年１３月１日", "99999999999999-1-1"] {
        assert_eq!(parse_date(text), None, "{text}");
    }
}

#[test]
fn numbers_and_phones_are_compared_without_their_dress() {
    check(ValueKind::Number, "11010519491231002x", "110105 19491231 002X", None);
    check(ValueKind::Number, "11010519491231002X", "110105491231002", None);
    check(ValueKind::Number, "11010519491231002X", "11010519491231003X", Some(Difference::OneCharacter));
    check(ValueKind::Number, "12010519640907632X", "12010519640907362X", Some(Difference::Swapped));
    check(ValueKind::Phone, "+86 138-1234-5678", "13812345678", None);
    check(ValueKind::Phone, "(022)23456789", "022-23456789", None);
    check(ValueKind::PaperKind, "居民身份证", "身份证", None);
    check(ValueKind::PaperKind, "居民身份证", "护照", Some(Difference::Conflicting));
}

#[test]
fn spans_point_into_the_texts_as_they_were_written() {
    let spans = compare(ValueKind::Name, "王 小明", "王小朋").spans;

    assert_eq!(spans.len(), 2);
    assert_eq!(
        (spans[0].change, spans[0].entered.clone(), spans[0].read.clone()),
        (Change::Same, 0..3, 0..2)
    );
    assert_eq!(
        (spans[1].change, spans[1].entered.clone(), spans[1].read.clone()),
        (Change::Replaced, 3..4, 2..3)
    );
}

proptest::proptest! {
    #[test]
    fn comparing_never_panics_and_is_symmetric(one in "\\PC{0,30}", other in "\\PC{0,30}") {
        for kind in [ValueKind::Name, ValueKind::Address, ValueKind::Date, ValueKind::Number, ValueKind::Phone, ValueKind::Text] {
            let forth = compare(kind, &one, &other);
            let back = compare(kind, &other, &one);
            proptest::prop_assert_eq!(forth.agrees(), back.agrees());
            proptest::prop_assert!(compare(kind, &one, &one).agrees());
            for span in forth.spans {
                proptest::prop_assert!(span.entered.end <= one.chars().count() && span.read.end <= other.chars().count());
            }
        }
    }

    #[test]
    fn a_different_digit_is_never_the_same_address(number in 1_u32..3000, other in 1_u32..3000) {
        proptest::prop_assume!(number != other);
        for pattern in ["天津市河西区友谊路昌源里{}号楼3门401号", "河西区友谊路{}号", "天津市河西区中山路3栋{}门5", "中山路3栋2门{}室"] {
            let forth = pattern.replace("{}", &number.to_string());
            let back = pattern.replace("{}", &other.to_string());
            proptest::prop_assert!(!compare(ValueKind::Address, &forth, &back).agrees());
        }
    }
}
