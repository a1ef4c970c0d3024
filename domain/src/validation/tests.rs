//! Every vector of the rules is a test.

use chrono::NaiveDate;
use serde_json::Value;

use super::*;

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
}

fn vectors(kind: &str, list: &str) -> Vec<String> {
    let all: Value = serde_json::from_str(include_str!("../../rules/vectors.json")).unwrap();
    let list = all[kind][list].as_array().unwrap();
    assert!(!list.is_empty());
    list.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn check<T>(kind: &str, judge: impl Fn(&str) -> Result<T, Invalid>) {
    for text in vectors(kind, "valid") {
        assert!(judge(&text).is_ok(), "{kind} {text}");
    }
    for text in vectors(kind, "invalid") {
        assert!(judge(&text).is_err(), "{kind} {text}");
    }
}

#[test]
fn every_vector_of_the_rules_is_judged_as_it_says() {
    check("fpr18", |text| foreign_permanent_resident(text, day()));
    check("fpr15", |text| foreign_permanent_resident(text, day()));
    check("uscc", credit_code);
    check("org", organisation_code);
    check("lic15", business_licence);
    check("hkid", hong_kong_identity);
    check("twid", taiwan_identity);
    check("luhn", luhn);
    check("mobile", mobile);
}

#[test]
fn resident_numbers_fail_for_the_reason_that_applies() {
    for text in vectors("id18", "valid") {
        assert!(resident_number(&text, day()).is_ok(), "{text}");
    }
    for text in vectors("id18", "bad_check") {
        assert_eq!(resident_number(&text, day()).unwrap_err().reason, InvalidReason::CheckDigit);
    }
    for text in vectors("id18", "bad_date") {
        assert_eq!(resident_number(&text, day()).unwrap_err().reason, InvalidReason::Date);
    }
    let reason = |text: &str| resident_number(text, day()).unwrap_err().reason;
    assert_eq!(reason(""), InvalidReason::Empty);
    assert_eq!(reason("1234"), InvalidReason::Length);
    assert_eq!(reason("1101051949123100２Ｘ9"), InvalidReason::Length);
    assert_eq!(reason("11010519491231O02X"), InvalidReason::Character);
    assert_eq!(reason("一一〇一〇五一九四九一二三一〇〇二Ｘ"), InvalidReason::Character);
}

#[test]
fn a_number_that_is_written_with_spaces_and_full_width_is_the_same_number() {
    let number = resident_number("110105 19491231－00２ｘ", day()).unwrap();

    assert_eq!(number.number.value, "11010519491231002X");
    assert_eq!(number.number.written, "110105 19491231－00２ｘ");
    assert_eq!((number.birth, number.sex), (NaiveDate::from_ymd_opt(1949, 12, 31).unwrap(), Sex::Female));
}

#[test]
fn fifteen_digits_become_eighteen() {
    let all: Value = serde_json::from_str(include_str!("../../rules/vectors.json")).unwrap();
    for (fifteen, eighteen) in all["id15_to_18"].as_object().unwrap() {
        let number = resident_number(fifteen, day()).unwrap().number;

        assert_eq!(number.value, eighteen.as_str().unwrap());
        assert_eq!(number.warnings, [Warning::OldNumber]);
    }
}

#[test]
fn residence_permits_are_checked_and_may_be_entered_as_identity_cards() {
    for text in vectors("residence", "valid") {
        assert!(residence_permit(&text, day()).is_ok(), "{text}");
        assert!(paper_number(IdentityPaper::ResidentCard, &text, day()).is_ok(), "{text}");
    }
    assert_eq!(residence_permit("11010519491231002X", day()).unwrap_err().reason, InvalidReason::Region);
}

#[test]
fn machine_readable_lines_hold_their_checks_and_one_wrong_character_breaks_them() {
    for text in vectors("mrz_td3_line2", "valid") {
        let zone = mrz_line(&text, day()).unwrap();
        assert!(!zone.number.is_empty());

        let altered = text.replacen('3', "8", 1);
        assert_eq!(mrz_line(&altered, day()).unwrap_err().reason, InvalidReason::CheckDigit);
    }
    let zone = machine_readable_zone(
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
        day(),
    )
    .unwrap();
    assert_eq!(zone.names, ["ERIKSSON", "ANNA", "MARIA"]);
    assert_eq!(zone.birth, NaiveDate::from_ymd_opt(1974, 8, 12).unwrap());
    assert_eq!(zone.valid_to, NaiveDate::from_ymd_opt(2012, 4, 15).unwrap());
    assert_eq!(zone.sex, Some(Sex::Female));
}

#[test]
fn permits_and_passports_are_known_by_their_form() {
    let good = |result: Result<Normalised, Invalid>| assert!(result.is_ok(), "{result:?}");
    let bad = |result: Result<Normalised, Invalid>| assert!(result.is_err(), "{result:?}");

    good(mainland_travel_permit("H12345678"));
    good(mainland_travel_permit("m1234567801"));
    bad(mainland_travel_permit("A12345678"));
    bad(mainland_travel_permit("H1234567"));
    good(taiwan_travel_permit("12345678"));
    good(taiwan_travel_permit("1234567890(A)"));
    bad(taiwan_travel_permit("1234567"));
    good(chinese_passport("E12345678"));
    good(chinese_passport("EA1234567"));
    good(chinese_passport("G12345678"));
    bad(chinese_passport("EI1234567"));
    bad(chinese_passport("E1234567"));
}

#[test]
fn a_prefix_nobody_was_allotted_is_a_warning_and_not_an_error() {
    assert_eq!(mobile("15412345678").unwrap().warnings, [Warning::PrefixNotAllotted]);
    assert!(mobile("13812345678").unwrap().warnings.is_empty());
    assert_eq!(mobile("+86 138-1234-5678").unwrap().value, "13812345678");
}

#[test]
fn a_number_is_brought_to_the_form_it_is_dialled_in_at_home() {
    let check = |written: &str, expected: &str| assert_eq!(national_phone(written), expected, "{written}");
    check("+86 138-1234-5678", "13812345678");
    check("0086 13812345678", "13812345678");
    check("8613812345678", "13812345678");
    check("+86 (22) 2731-8846", "02227318846");
    check("+86 22 2731 8846", "02227318846");
    check("022-27318846", "02227318846");
    check("+86", "+86");
    check("8613", "8613");
}

#[test]
fn landlines_and_postcodes_follow_their_form() {
    for good in ["022-23456789", "010 87654321", "(0311)8765432", "0755-23456789"] {
        assert!(landline(good).is_ok(), "{good}");
    }
    for bad in ["022-2345678", "0311-123456", "022-13456789", "23456789", "022-0345678a"] {
        assert!(landline(bad).is_err(), "{bad}");
    }
    assert!(phone("022-23456789").is_ok() && phone("13812345678").is_ok());
    assert!(postcode("300074").is_ok() && postcode("30007").is_err() && postcode("30007O").is_err());
}

#[test]
fn military_numbers_are_checked_softly() {
    let number = paper_number(IdentityPaper::from_entered("军官证"), "军字第2001988号", day()).unwrap();

    assert_eq!(number.warnings, [Warning::UnusualForm]);
}

#[test]
fn kinds_of_paper_are_known_by_their_words() {
    let check = |text: &str, expected| assert_eq!(IdentityPaper::from_entered(text), expected, "{text}");

    check("居民身份证", IdentityPaper::ResidentCard);
    check("临时居民身份证", IdentityPaper::TemporaryCard);
    check("港澳台居民居住证", IdentityPaper::ResidencePermit);
    check("港澳居民来往内地通行证", IdentityPaper::MainlandTravelPermit);
    check("外国人永久居留身份证", IdentityPaper::ForeignPermanentResident);
    check("营业执照", IdentityPaper::Licence);
    check("户口簿", IdentityPaper::HouseholdRegister);
    check("什么", IdentityPaper::Other);
}

proptest::proptest! {
    #[test]
    fn nothing_that_is_written_makes_a_check_panic(text in "\\PC{0,48}") {
        for paper in [
            IdentityPaper::ResidentCard, IdentityPaper::ResidencePermit, IdentityPaper::MainlandTravelPermit,
            IdentityPaper::TaiwanTravelPermit, IdentityPaper::Passport, IdentityPaper::ForeignPermanentResident,
            IdentityPaper::Licence, IdentityPaper::OrganisationCode, IdentityPaper::Other,
        ] {
            let _ = paper_number(paper, &text, day());
        }
        let _ = (hong_kong_identity(&text), taiwan_identity(&text), phone(&text), postcode(&text), luhn(&text));
        let _ = (mrz_line(&text, day()), machine_readable_zone(&text, day()));
    }

    #[test]
    fn one_changed_digit_of_a_resident_number_is_always_found(position in 0_usize..17, add in 1_u8..10) {
        let mut bytes = b"11010519491231002X".to_vec();
        bytes[position] = b'0' + (bytes[position] - b'0' + add) % 10;
        let text = String::from_utf8(bytes).unwrap();

        proptest::prop_assert!(resident_number(&text, day()).is_err());
    }
}
