//! The start page: what waits for the person who signed in.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use backends::database::Figures;
use domain::{
    access::Action,
    case_file::CaseState,
    finding::FindingCode,
    job::{JobName, JobState},
};
use indexer::{
    query::{Counting, Query, QueryError},
    searcher::Searcher,
};

use super::{
    layout::{Frame, page},
    visitor::Visitor,
    words,
};
use crate::{
    caller::Caller,
    paging::Paging,
    problem::{Problem, kinds},
    scans::load_tray,
    state::ArchiveState,
};

#[derive(Template)]
#[template(path = "start.html")]
struct StartPage {
    frame: Frame,
    states: Vec<Tally>,
    findings: Vec<Tally>,
    jobs: Vec<JobTally>,
    /// Scans in the tray, up to a hundred; `None` for those who do not place scans.
    tray: Option<usize>,
    may_search: bool,
    may_upload: bool,
    has_index: bool,
}

/// How many case files are so.
struct Tally {
    name: &'static str,
    value: &'static str,
    count: u64,
    more: &'static str,
}

/// The work of one name: how much waits, and how long that takes.
struct JobTally {
    name: JobName,
    waiting: i64,
    dead: i64,
    /// Minutes until what waits is done; `None` when nothing is done at all.
    drain_minutes: Option<u64>,
}

impl JobTally {
    fn of(figures: &Figures, name: JobName) -> Self {
        let backlog = figures.backlog(name);
        Self {
            name,
            waiting: backlog.waiting,
            dead: figures.open(name, JobState::Dead),
            drain_minutes: backlog.drain_seconds.map(|seconds| (seconds / 60.0).ceil() as u64),
        }
    }
}

/// Shows counts within the reach of the person, and nothing beyond it.
pub(super) async fn start(State(state): State<ArchiveState>, visitor: Visitor) -> Result<Response, Problem> {
    let Visitor { caller, language } = visitor;
    let searcher = state.searcher.borrow().clone();
    let has_index = searcher.is_some();
    let may_search = caller.has(Action::Search);
    let (states, findings) = match searcher.filter(|_| may_search) {
        Some(searcher) => {
            let counting_for = caller.clone();
            let counting = tokio::task::spawn_blocking(move || tallies(&searcher, &counting_for, language));
            counting.await.map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))??
        }
        None => (Vec::new(), Vec::new()),
    };
    let tray = if caller.has(Action::PlaceScan) {
        Some(load_tray(&state, &caller, &Paging::new(Some(100), None)).await?.items.len())
    } else {
        None
    };
    let jobs = if caller.has(Action::RunMachine) {
        let figures = state.backends.database.figures(state.backends.clock.now()).await?;
        JobName::ALL.into_iter().map(|name| JobTally::of(&figures, name)).collect()
    } else {
        Vec::new()
    };
    page(&StartPage {
        states,
        findings,
        jobs,
        tray,
        may_search,
        may_upload: caller.has(Action::UploadScan),
        has_index,
        frame: Frame::of(&caller, language),
    })
}

fn tallies(
    searcher: &Arc<Searcher>,
    caller: &Caller,
    lang: crate::language::Language,
) -> Result<(Vec<Tally>, Vec<Tally>), QueryError> {
    let mut states = Vec::new();
    for state in &CaseState::ALL[..=CaseState::Archived as usize] {
        let mut query = Query::within(caller.search_scope());
        query.states = vec![*state];
        states.extend(tally(searcher, query, words::state(lang, *state), state.as_str())?);
    }
    let mut findings = Vec::new();
    for code in FindingCode::ALL {
        let mut query = Query::within(caller.search_scope());
        query.finding_code = Some(code);
        query.open_findings = Some(true);
        findings.extend(tally(searcher, query, words::code(lang, code), code.as_str())?);
    }
    Ok((states, findings))
}

fn tally(
    searcher: &Searcher,
    mut query: Query,
    name: &'static str,
    value: &'static str,
) -> Result<Option<Tally>, QueryError> {
    query.limit = 1;
    query.counting = Counting::Capped;
    let count = match searcher.search(&query) {
        Ok(page) => page.count,
        Err(QueryError::EmptyScope) => None,
        Err(error) => return Err(error),
    };
    let found = count.filter(|count| count.value > 0);
    Ok(found.map(|count| Tally {
        name,
        value,
        count: count.value,
        more: if count.is_capped { "+" } else { "" },
    }))
}
