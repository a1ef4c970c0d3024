//! Measures searching: `cargo run --release -p archive-bench --bin search -- --cases 100000`.
//!
//! Asks each kind of question for values that exist, as a clerk of one outlet and as an auditor of a branch,
//! newest twenty with a capped count, and prints a Markdown table. `--folder DIR` keeps the index for a next run.

use std::{
    fmt::Write,
    path::PathBuf,
    time::{Duration, Instant},
};

use archive_bench::corpus::{argument, case_document};
use chrono::Days;
use domain::blind_index::{BlindKey, NamePattern, NumberPattern};
use indexer::{
    document::CaseDocument,
    error::IndexError,
    query::{Counting, Query, Scope, SlipPattern, Sort},
    searcher::Searcher,
    writer::{Change, Rebuild},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use rustix::time::{ClockId, clock_gettime};

type Kind = (&'static str, fn(&CaseDocument, Query) -> Query);

const KINDS: [Kind; 21] = [
    ("slip number, whole", |case, query| Query {
        slip_number: Some(SlipPattern::Whole(case.slip_number.clone())),
        ..query
    }),
    ("slip number, prefix of 14", |case, query| Query {
        slip_number: Some(SlipPattern::Prefix(head(&case.slip_number, 14))),
        ..query
    }),
    ("phone, whole", |case, query| phone(query, NumberPattern::Whole(case.phones[0].clone()))),
    ("phone, last four", |case, query| phone(query, NumberPattern::Suffix(tail(&case.phones[0], 4)))),
    ("phone, prefix of 7", |case, query| phone(query, NumberPattern::Prefix(head(&case.phones[0], 7)))),
    ("phone, any 4 inside", |case, query| {
        phone(query, NumberPattern::Part(tail(&head(&case.phones[0], 8), 4)))
    }),
    ("phone, any 6 inside", |case, query| {
        phone(query, NumberPattern::Part(tail(&head(&case.phones[0], 9), 6)))
    }),
    ("identity number, whole", |case, query| {
        id_number(query, NumberPattern::Whole(case.id_numbers[0].clone()))
    }),
    ("identity number, last four", |case, query| {
        id_number(query, NumberPattern::Suffix(tail(&case.id_numbers[0], 4)))
    }),
    ("identity number, prefix of 7", |case, query| {
        id_number(query, NumberPattern::Prefix(head(&case.id_numbers[0], 7)))
    }),
    ("identity number, day of birth inside", |case, query| {
        id_number(query, NumberPattern::Part(tail(&head(&case.id_numbers[0], 14), 8)))
    }),
    ("name, whole", |case, query| name(query, NamePattern::Whole(case.names[0].clone()))),
    ("name, first character", |case, query| name(query, NamePattern::Part(head(&case.names[0], 1)))),
    ("name, last character", |case, query| name(query, NamePattern::Part(tail(&case.names[0], 1)))),
    ("name, two characters", |case, query| name(query, NamePattern::Part(head(&case.names[0], 2)))),
    ("outlet and 30 days", |case, query| thirty_days(case, query)),
    ("outlet and 30 days, by slip number", |case, query| Query {
        sort: Sort::SlipNumber,
        ..thirty_days(case, query)
    }),
    ("finding code", |case, query| Query { finding_code: case.finding_codes.first().copied(), ..query }),
    ("address, two characters of the road", |case, query| address(case, query, 6, 2)),
    ("address, end of the door number", |case, query| Query {
        address: Some(tail(&case.addresses[0], 3)),
        ..query
    }),
    ("address, six characters", |case, query| address(case, query, 6, 6)),
];

fn main() -> anyhow::Result<()> {
    let cases: u64 = argument("--cases", 100_000)?;
    let queries: usize = argument("--queries", 300)?;
    let kept: PathBuf = argument("--folder", PathBuf::new())?;
    let temporary = tempfile::tempdir()?;
    let folder = if kept.as_os_str().is_empty() { temporary.path().to_owned() } else { kept };
    let searcher = open_or_build(&folder, cases)?;

    println!(
        "| {cases} case files | outlet clerk: p50 | p99 ms | branch auditor: p50 | p99 ms | whole city: p50 | p99 ms |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (title, question) in KINDS {
        let mut row = format!("| {title} |");
        for scope in [clerk, auditor, city] {
            let [wall, cpu] = measure(&searcher, cases, queries, scope, question)?;
            for percent in [50, 99] {
                write!(row, " {} ({}) |", show(&wall, percent), show(&cpu, percent))?;
            }
        }
        println!("{row}");
    }
    println!();
    println!("In brackets: CPU time of the thread, which other work on the machine does not disturb.");
    Ok(())
}

fn open_or_build(folder: &std::path::Path, cases: u64) -> anyhow::Result<Searcher> {
    let key = BlindKey::new([7; 32]);
    match Searcher::open(folder, key.clone()) {
        Ok(searcher) if searcher.reached() == cases => return Ok(searcher),
        Ok(_) | Err(IndexError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let mut rebuild = Rebuild::start(folder, key.clone())?;
    for number in 0..cases {
        rebuild.apply(&[Change::Upsert(Box::new(case_document(number, cases)))])?;
    }
    rebuild.finish(cases)?.close()?;
    Ok(Searcher::open(folder, key)?)
}

/// Wall and CPU times of the questions, sorted.
fn measure(
    searcher: &Searcher,
    cases: u64,
    queries: usize,
    scope: fn(&CaseDocument) -> Scope,
    question: fn(&CaseDocument, Query) -> Query,
) -> anyhow::Result<[Vec<Duration>; 2]> {
    let mut random = StdRng::seed_from_u64(99);
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for round in 0..queries + queries / 10 {
        let case = case_document(random.random_range(0..cases), cases);
        let query = Query { counting: Counting::Capped, ..question(&case, Query::within(scope(&case))) };
        let (started, busy) = (Instant::now(), thread_time());
        let page = searcher.search(&query)?;
        let times = (started.elapsed(), thread_time().saturating_sub(busy));
        anyhow::ensure!(!page.hits.is_empty(), "a value that exists was not found: {query:?}");
        // The first tenth warms the cache.
        if round >= queries / 10 {
            wall.push(times.0);
            cpu.push(times.1);
        }
    }
    wall.sort();
    cpu.sort();
    Ok([wall, cpu])
}

fn clerk(case: &CaseDocument) -> Scope {
    Scope::Outlets(vec![case.outlet_code.clone()])
}

fn auditor(case: &CaseDocument) -> Scope {
    Scope::Branches(vec![case.branch_code.clone()])
}

fn city(_: &CaseDocument) -> Scope {
    Scope::Everything
}

fn phone(query: Query, pattern: NumberPattern) -> Query {
    Query { phone: Some(pattern), ..query }
}

fn id_number(query: Query, pattern: NumberPattern) -> Query {
    Query { id_number: Some(pattern), ..query }
}

fn name(query: Query, pattern: NamePattern) -> Query {
    Query { name: Some(pattern), ..query }
}

fn thirty_days(case: &CaseDocument, query: Query) -> Query {
    Query {
        outlets: vec![case.outlet_code.clone()],
        accepted_from: case.accepted_on.checked_sub_days(Days::new(15)),
        accepted_to: case.accepted_on.checked_add_days(Days::new(14)),
        ..query
    }
}

fn address(case: &CaseDocument, query: Query, start: usize, length: usize) -> Query {
    Query { address: Some(case.addresses[0].chars().skip(start).take(length).collect()), ..query }
}

fn head(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

fn tail(text: &str, length: usize) -> String {
    let skipped = text.chars().count().saturating_sub(length);
    text.chars().skip(skipped).collect()
}

fn show(sorted: &[Duration], percent: usize) -> String {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    format!("{:.3}", sorted[place].as_secs_f64() * 1e3)
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
