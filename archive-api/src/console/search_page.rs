//! The search page: filters, and a list whose values are masked.

use askama::Template;
use axum::{extract::State, response::Response};
use domain::{case_file::CaseState, finding::FindingCode};

use super::{
    layout::{Frame, page},
    visitor::Visitor,
    words,
};
use crate::{
    case_files::{FoundCaseFile, SearchAnswer, SearchQuery, search},
    extract::Query,
    language::Language,
    problem::{Problem, kinds},
    state::ArchiveState,
};

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    frame: Frame,
    query: SearchQuery,
    states: Vec<Choice>,
    codes: Vec<Choice>,
    answer: Option<SearchAnswer>,
    mistake: String,
}

/// One entry of a list to choose from.
struct Choice {
    value: &'static str,
    name: &'static str,
    is_chosen: bool,
}

impl SearchPage {
    fn state_of(&self, found: &FoundCaseFile) -> &'static str {
        words::state(self.frame.lang, found.state)
    }

    fn codes_of(&self, found: &FoundCaseFile) -> String {
        let names: Vec<&str> =
            found.finding_codes.iter().map(|code| words::code(self.frame.lang, *code)).collect();
        names.join("、")
    }
}

/// Shows the form, and the hits once anything was asked for.
pub(super) async fn show(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Problem> {
    let Visitor { caller, language } = visitor;
    let (answer, mistake) = match search(&state, &caller, &query).await {
        Ok(answer) => (Some(answer), String::new()),
        // What the person can mend is said beside the form.
        Err(problem) if is_for_the_person(&problem) => (None, problem.text(language)),
        Err(problem) => return Err(problem),
    };
    let states = states(language, &query.state);
    let codes = codes(language, &query.finding);
    page(&SearchPage { frame: Frame::of(&caller, language), query, states, codes, answer, mistake })
}

fn is_for_the_person(problem: &Problem) -> bool {
    let kind = problem.kind();
    kind == kinds::INDEX_BEHIND || (kind.status < 500 && kind.status != 403)
}

fn states(lang: Language, chosen: &str) -> Vec<Choice> {
    let choice = |state: &CaseState| {
        let value = state.as_str();
        Choice { value, name: words::state(lang, *state), is_chosen: value == chosen }
    };
    CaseState::ALL.iter().map(choice).collect()
}

fn codes(lang: Language, chosen: &str) -> Vec<Choice> {
    let choice = |code: &FindingCode| {
        let value = code.as_str();
        Choice { value, name: words::code(lang, *code), is_chosen: value == chosen }
    };
    FindingCode::ALL.iter().map(choice).collect()
}
