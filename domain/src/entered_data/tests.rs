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
        details: BTreeMap::new(),
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

fn organisation() -> EnteredData {
    let details = DETAIL_FIELDS.into_iter().filter(|field| *field != FieldName::AgentIdType).map(|field| {
        let value = match field {
            FieldName::HandlerPhone => "13812345678",
            FieldName::OrganisationPhone => "022-23456789",
            FieldName::OrganisationNumber => "91350211M000100Y46",
            FieldName::Postcode => "300000",
            _ => "有",
        };
        (field, value.to_owned())
    });
    EnteredData {
        customer_type: "政企".to_owned(),
        customer_name: "天津某某商贸有限公司".to_owned(),
        id_type: "营业执照".to_owned(),
        id_number: "91350211M000100Y46".to_owned(),
        contact_name: String::new(),
        contact_phone: String::new(),
        agent_name: "赵六".to_owned(),
        agent_id_number: "11010519491231002X".to_owned(),
        details: details.collect(),
        ..entry()
    }
}

fn codes(entered: &EnteredData) -> Vec<String> {
    check_on_arrival(entered).iter().map(|finding| format!("{}:{}", finding.code, finding.subject)).collect()
}

#[test]
fn an_organisation_has_mandatory_fields_of_its_own() {
    assert_eq!(codes(&organisation()), [""; 0]);
    for field in MANDATORY_FIELDS_OF_ORGANISATION.into_iter().filter(|field| DETAIL_FIELDS.contains(field)) {
        let mut entered = organisation();
        entered.details.insert(field, " ".to_owned());
        assert_eq!(codes(&entered), [format!("required_field_empty:{field}")]);
        // What the business system does not send cannot have been left out by the clerk.
        entered.details.remove(&field);
        assert_eq!(codes(&entered), [""; 0]);
    }
}

#[test]
fn the_number_of_an_organisation_and_the_paper_of_an_agent_are_checked() {
    let mut entered = organisation();
    entered.details.insert(FieldName::OrganisationNumber, "91350211M000100Y43".to_owned());
    assert_eq!(codes(&entered), ["id_number_invalid:organisation_number"]);

    let mut entered = organisation();
    entered.details.insert(FieldName::AgentIdType, String::new());
    assert_eq!(codes(&entered), ["required_field_empty:agent_id_type"]);
    entered.details.insert(FieldName::AgentIdType, "护照".to_owned());
    entered.agent_id_number = "E12345678".to_owned();
    assert_eq!(codes(&entered), [""; 0]);
}

#[test]
fn what_is_doubtful_is_a_warning_and_no_finding() {
    let warned = |spoil: fn(&mut EnteredData)| {
        let mut entered = organisation();
        spoil(&mut entered);
        assert_eq!(codes(&entered), [""; 0]);
        warnings_on_arrival(&entered)
            .iter()
            .map(|warning| (warning.field, warning.reason))
            .collect::<Vec<_>>()
    };

    assert_eq!(warned(|_| ()), []);
    assert_eq!(
        warned(|entered| entered.contact_phone = "2381234567".to_owned()),
        [(FieldName::ContactPhone, WarningReason::NotAPhoneNumber)]
    );
    assert_eq!(
        warned(|entered| entered.service_numbers = vec!["15412345678".to_owned(), "TJADSL-7".to_owned()]),
        [(FieldName::ServiceNumber, WarningReason::PrefixNotAllotted)]
    );
    assert_eq!(
        warned(|entered| drop(entered.details.insert(FieldName::Postcode, "30000".to_owned()))),
        [(FieldName::Postcode, WarningReason::NotAPostcode)]
    );
}

#[test]
fn an_entry_of_before_there_were_details_is_still_read() {
    let stored = serde_json::to_value(entry()).unwrap();

    assert!(stored.get("details").is_none());
    assert_eq!(serde_json::from_value::<EnteredData>(stored).unwrap(), entry());
    let with_details = organisation();
    let stored = serde_json::to_string(&with_details).unwrap();
    assert_eq!(serde_json::from_str::<EnteredData>(&stored).unwrap(), with_details);
}
