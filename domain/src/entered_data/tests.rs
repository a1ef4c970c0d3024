use super::*;

fn entry() -> EnteredData {
    EnteredData {
        outlet_code: "A1".to_owned(),
        outlet_name: "一号营业厅".to_owned(),
        channel: "社会渠道".to_owned(),
        accepted_on: NaiveDate::from_ymd_opt(2026, 9, 18).unwrap(),
        slip_number: "S1".to_owned(),
        service_numbers: vec!["15562804516".to_owned()],
        customer_type: "公众".to_owned(),
        customer_name: "王小明".to_owned(),
        id_type: "居民身份证".to_owned(),
        id_number: "11010519491231002X".to_owned(),
        id_address: "天津市河西区友谊路1号".to_owned(),
        contact_name: "李四".to_owned(),
        contact_phone: "18593093357".to_owned(),
        mailing_address: "天津市河西区友谊路1号".to_owned(),
        agent_name: String::new(),
        agent_id_number: String::new(),
        staff_number: "7".to_owned(),
        product: "套餐".to_owned(),
    }
}

fn check(spoil: impl Fn(&mut EnteredData), expected: &[&str]) {
    let mut entered = entry();
    spoil(&mut entered);
    let findings = check_on_arrival(&entered);
    let names: Vec<String> =
        findings.iter().map(|finding| format!("{}:{}", finding.code, finding.subject)).collect();
    assert_eq!(names, expected);
}

#[test]
fn an_entry_is_checked_by_itself_on_arrival() {
    check(|_| (), &[]);
    check(|entry| entry.mailing_address = "　 ".to_owned(), &["required_field_empty:mailing_address"]);
    check(|entry| entry.service_numbers.clear(), &["required_field_empty:service_number"]);
    check(|entry| entry.id_number.clear(), &["required_field_empty:id_number"]);
    check(|entry| entry.id_number = "110105194912310021".to_owned(), &["id_number_invalid:id_number"]);
    check(|entry| entry.agent_name = "赵六".to_owned(), &["required_field_empty:agent_id_number"]);
    check(
        |entry| {
            entry.agent_name = "赵六".to_owned();
            entry.agent_id_number = "440305200001011236".to_owned();
        },
        &["id_number_invalid:agent_id_number"],
    );
    check(|entry| entry.contact_name = "王 小明".to_owned(), &["contact_is_customer:contact_name"]);
    check(
        |entry| entry.contact_phone = "155-6280-4516".to_owned(),
        &["contact_phone_is_service_number:contact_phone"],
    );
}

#[test]
fn a_child_in_the_household_register_is_not_rejected() {
    check(
        |entry| {
            entry.id_type = "户口簿".to_owned();
            entry.id_number = "11010520200101001".to_owned() + &check_digit("11010520200101001");
        },
        &[],
    );
}

fn check_digit(first: &str) -> String {
    crate::validation::check_character(first).unwrap().to_string()
}

#[test]
fn every_field_counts_in_the_digest_and_none_runs_into_the_next() {
    let digest = entry().digest();

    assert_eq!(digest, entry().digest());
    let spoilers: [fn(&mut EnteredData); 4] = [
        |entry| entry.product.push('1'),
        |entry| entry.service_numbers.push(String::new()),
        |entry| entry.accepted_on = entry.accepted_on.succ_opt().unwrap(),
        |entry| {
            entry.contact_name = "李".to_owned();
            entry.contact_phone = "四18593093357".to_owned();
        },
    ];
    for spoil in spoilers {
        let mut other = entry();
        spoil(&mut other);
        assert_ne!(other.digest(), digest);
    }
}

#[test]
fn channels_are_known_by_their_words() {
    for (text, expected) in [
        ("自有营业厅", Some(Channel::Direct)),
        ("直销", Some(Channel::Direct)),
        ("社会渠道", Some(Channel::Agency)),
        ("电话营销", Some(Channel::Telephone)),
        ("网上营业厅", Some(Channel::Online)),
        ("agency", Some(Channel::Agency)),
        ("飞鸽", None),
    ] {
        assert_eq!(Channel::from_entered(text), expected, "{text}");
    }
}
