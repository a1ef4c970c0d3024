//! Synthetic case files: fictional people, addresses and numbers, spread as those of a city are.
//!
//! A case file is a pure function of its number, so that a search bench can ask for values that exist without
//! keeping them all in memory.

use chrono::{Days, NaiveDate};
use domain::{case_file::CaseState, finding::FindingCode, ids::CaseFileId};
use indexer::document::CaseDocument;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

/// Outlets of the city, in sixteen branches.
pub const OUTLETS: u64 = 400;
const BRANCHES: [&str; 16] =
    ["HP", "HX", "HD", "NK", "HB", "HQ", "DL", "XQ", "JN", "BC", "WQ", "BD", "BH", "NH", "JH", "JZ"];
/// Days over which the case files spread.
const DAYS: u64 = 365;

const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林郑谢罗梁宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢\
姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红鹏飞鑫波斌莉宇浩凯健俊帆雪梅琳晶欣雨晨阳佳慧颖\
婷文博思远志国建海东晓春兰云龙峰丹宁辉亮光永福成康家庆祥瑞嘉怡子轩梓涵若曦语桐一诺可馨";
const ROADS: &str = "解放友谊南京复兴黄河长江卫津围堤宾水紫金山东风中山建国光明和平新华胜利人民民族自由体育学府科研工农团结劳动\
幸福安康平安富民振华兴业";
const ESTATES: &str =
    "凤城风荷阳光金色碧水翠湖银杏梧桐枫叶玫瑰紫荆兰亭书香锦绣龙腾华苑康乐泰和万科远洋世纪天泽丽景雅居";
const DISTRICTS: [&str; 16] = [
    "和平区",
    "河西区",
    "河东区",
    "南开区",
    "河北区",
    "红桥区",
    "东丽区",
    "西青区",
    "津南区",
    "北辰区",
    "武清区",
    "宝坻区",
    "滨海区",
    "宁河区",
    "静海区",
    "蓟州区",
];
const PHONE_HEADS: [&str; 25] = [
    "130", "131", "132", "133", "135", "136", "137", "138", "139", "145", "150", "151", "152", "155", "156",
    "158", "159", "166", "175", "176", "180", "185", "186", "188", "199",
];

/// The case file with this number, of a corpus of `total`; numbers follow the days of acceptance.
pub fn case_document(number: u64, total: u64) -> CaseDocument {
    let mut random = StdRng::seed_from_u64(number);
    let day = number * DAYS / total.max(1);
    let accepted_on = NaiveDate::default() + Days::new(20_000 + day);
    let outlet = outlet(&mut random);
    let address = address(&mut random);
    let mailing = if random.random_bool(0.6) { address.clone() } else { self::address(&mut random) };
    let has_agent = random.random_bool(0.08);
    let has_findings = random.random_bool(0.15);
    let state = if has_findings { CaseState::InReview } else { CaseState::Archived };
    let people = if has_agent { 2 } else { 1 };
    let lines = if random.random_bool(0.05) { 3 } else { 1 };
    CaseDocument {
        case_file_id: case_file_id(number, total),
        slip_number: format!("TJ{}{}{number:08}", accepted_on.format("%Y%m%d"), &outlet[2..]),
        branch_code: outlet[..4].to_owned(),
        outlet_code: outlet.clone(),
        channel: (*["自有营业厅", "社会渠道", "电子渠道"].choose(&mut random).unwrap_or(&"")).to_owned(),
        accepted_on,
        state,
        finding_codes: if has_findings { findings(&mut random) } else { Vec::new() },
        has_open_findings: has_findings,
        archival_code: (!has_findings).then(|| {
            format!("{}-{}-{}-{:06}", &outlet[..4], accepted_on.format("%Y%m%d"), outlet, number % 1_000_000)
        }),
        names: (0..people).map(|_| name(&mut random)).collect(),
        id_numbers: (0..people).map(|_| id_number(&mut random)).collect(),
        phones: (0..=lines).map(|_| phone(&mut random)).collect(),
        addresses: vec![address, mailing],
    }
}

/// The id of the case file with this number: made on its day, with random bytes.
fn case_file_id(number: u64, total: u64) -> CaseFileId {
    let mut random = StdRng::seed_from_u64(number ^ 0xA5A5_0000_0000);
    let moment_ms = 1_728_000_000_000 + number * (DAYS * 86_400_000) / total.max(1);
    CaseFileId::from_parts(moment_ms, random.random())
}

/// Small outlets are many: the number is drawn as a square.
fn outlet(random: &mut StdRng) -> String {
    let share: f64 = random.random();
    let number = (share * share * OUTLETS as f64) as u64;
    format!("TJ{}{:04}", BRANCHES[(number % 16) as usize], number / 16 + 1)
}

fn findings(random: &mut StdRng) -> Vec<FindingCode> {
    (0..random.random_range(1..3)).filter_map(|_| FindingCode::ALL.choose(random).copied()).collect()
}

fn character(random: &mut StdRng, pool: &str) -> char {
    let characters: Vec<char> = pool.chars().collect();
    // The first ones are the most frequent.
    let share: f64 = random.random();
    characters[(share * share * characters.len() as f64) as usize]
}

fn name(random: &mut StdRng) -> String {
    let given = if random.random_bool(0.8) { 2 } else { 1 };
    let mut name = String::from(character(random, SURNAMES));
    for _ in 0..given {
        name.push(character(random, GIVEN));
    }
    name
}

fn id_number(random: &mut StdRng) -> String {
    let region = 120_101 + 1000 * random.random_range(0..20) + random.random_range(0..16);
    let birth = NaiveDate::default() - Days::new(random.random_range(0..18_000)) + Days::new(12_000);
    let serial = random.random_range(0..1000);
    let digits = format!("{region}{}{serial:03}", birth.format("%Y%m%d"));
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 = digits.chars().filter_map(|c| c.to_digit(10)).zip(weights).map(|(d, w)| d * w).sum();
    let check = "10X98765432".chars().nth((sum % 11) as usize).unwrap_or('X');
    format!("{digits}{check}")
}

fn phone(random: &mut StdRng) -> String {
    let head = PHONE_HEADS.choose(random).copied().unwrap_or("130");
    format!("{head}{:08}", random.random_range(0..100_000_000))
}

fn address(random: &mut StdRng) -> String {
    let district = DISTRICTS.choose(random).copied().unwrap_or("");
    let pick =
        |random: &mut StdRng, pool: &str| -> String { (0..2).map(|_| character(random, pool)).collect() };
    format!(
        "天津市{district}{}{}路{}{}号楼{}门{}号",
        pick(random, ROADS),
        ["南", "北", "东", "西", ""].choose(random).copied().unwrap_or(""),
        pick(random, ESTATES) + ["名苑", "新园", "花园", "里", "公寓"].choose(random).copied().unwrap_or(""),
        random.random_range(1..40),
        random.random_range(1..8),
        random.random_range(1..30) * 100 + random.random_range(1..9),
    )
}

/// What was asked for on the command line as `--name VALUE`.
pub fn argument<T: std::str::FromStr>(name: &str, default: T) -> anyhow::Result<T> {
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == name {
            let value = arguments.next().unwrap_or_default();
            return value.parse().map_err(|_| anyhow::anyhow!("{name} cannot be {value:?}"));
        }
    }
    Ok(default)
}
