//! Entered data as a business system exports them, about people who do not exist.

/// One line of the export.
#[derive(Debug, Clone)]
pub struct Entry {
    /// 受理网点编码.
    pub outlet_code: String,
    /// 受理日期.
    pub accepted_on: String,
    /// 业务流水号.
    pub slip_number: String,
    /// 业务号码.
    pub service_number: String,
    /// 客户名称.
    pub customer_name: String,
    /// 证件号码.
    pub id_number: String,
    /// 证件地址.
    pub id_address: String,
    /// 联系人.
    pub contact_name: String,
    /// 联系电话.
    pub contact_phone: String,
    /// 通信地址.
    pub mailing_address: String,
    /// 办理业务.
    pub product: String,
}

const HEADERS: &str = "受理网点编码,受理网点,渠道,受理日期,业务流水号,业务号码,客户类型,客户名称,证件类型,\
证件号码,证件地址,联系人,联系电话,通信地址,代办人姓名,代办人证件号码,受理人工号,办理业务";
const SURNAMES: [&str; 10] = ["赵", "钱", "孙", "李", "周", "吴", "郑", "王", "冯", "陈"];
const GIVEN: [&str; 10] = ["明轩", "雨桐", "子涵", "浩然", "欣怡", "俊杰", "思远", "佳琪", "宇航", "梦瑶"];

impl Entry {
    /// The entry with this number, accepted at an outlet.
    pub fn of(number: u64, outlet_code: &str) -> Self {
        let (tens, ones) = ((number / 10 % 10) as usize, (number % 10) as usize);
        let address =
            format!("天津市河西区友谊路{}号楼{}门{}号", number % 90 + 1, number % 7 + 1, number % 900 + 100);
        Self {
            outlet_code: outlet_code.to_owned(),
            accepted_on: format!("2026-09-{:02}", number % 28 + 1),
            slip_number: slip_number(number, outlet_code),
            service_number: format!("155{:08}", 10_000_000 + number),
            customer_name: format!("{}{}", SURNAMES[tens], GIVEN[ones]),
            id_number: id_number(number),
            mailing_address: address.clone(),
            id_address: address,
            contact_name: format!("{}{}", SURNAMES[ones], GIVEN[tens]),
            contact_phone: format!("186{:08}", 20_000_000 + number),
            product: "预付费标准产品36元".to_owned(),
        }
    }

    fn cells(&self) -> [&str; 18] {
        [
            &self.outlet_code,
            "测试营业厅",
            "自有营业厅",
            &self.accepted_on,
            &self.slip_number,
            &self.service_number,
            "公众",
            &self.customer_name,
            "居民身份证",
            &self.id_number,
            &self.id_address,
            &self.contact_name,
            &self.contact_phone,
            &self.mailing_address,
            "",
            "",
            "HX0001",
            &self.product,
        ]
    }
}

/// The slip number of the entry with this number.
pub fn slip_number(number: u64, outlet_code: &str) -> String {
    format!("TJ20260901{}{number:06}", outlet_code.get(2..).unwrap_or(outlet_code))
}

/// The file that the business system would export.
pub fn csv(entries: &[Entry]) -> String {
    let mut text = format!("\u{feff}{HEADERS}\r\n");
    for entry in entries {
        let cells: Vec<String> = entry.cells().into_iter().map(quoted).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// An identity number with its right check digit.
fn id_number(number: u64) -> String {
    const WEIGHTS: [u64; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let (year, month, day) = (1960 + number / 336 % 40, number / 28 % 12 + 1, number % 28 + 1);
    let body = format!("120103{year}{month:02}{day:02}{:03}", number / 13_440 % 1000);
    let sum: u64 = body.bytes().zip(WEIGHTS).map(|(digit, weight)| u64::from(digit - b'0') * weight).sum();
    let check = char::from(b"10X98765432"[(sum % 11) as usize]);
    format!("{body}{check}")
}

#[cfg(test)]
mod tests {
    use domain::validation::{IdentityPaper, paper_number};

    use super::*;

    #[test]
    fn the_people_have_valid_numbers_of_their_own() {
        let on = chrono::NaiveDate::from_ymd_opt(2026, 9, 1).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..2_000 {
            let entry = Entry::of(number, "TJHX0101");
            assert!(
                paper_number(IdentityPaper::ResidentCard, &entry.id_number, on).is_ok(),
                "{}",
                entry.id_number
            );
            assert!(seen.insert(entry.id_number), "{number}");
        }
    }

    #[test]
    fn a_cell_with_a_comma_is_quoted() {
        let entry = Entry { customer_name: "a,\"b".to_owned(), ..Entry::of(1, "TJHX0101") };

        assert!(csv(&[entry]).contains(",\"a,\"\"b\","));
    }
}
