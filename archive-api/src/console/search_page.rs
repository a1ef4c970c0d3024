//! The search page: filters, and a list whose values are masked.

use askama::Template;
use axum::{
    extract::State,
    response::{Redirect, Response},
};
use domain::{case_file::CaseState, finding::FindingCode};

use super::{
    asked,
    layout::{Frame, page},
    visitor::Visitor,
    words,
};
use crate::{
    case_files::{FoundCaseFile, SearchAnswer, SearchQuery, search},
    extract::{Form, Path, Query},
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
    /// The address of the next page.
    next: Option<String>,
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

/// Takes the form, and goes on to where its answer is shown.
pub(super) async fn ask(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Form(query): Form<SearchQuery>,
) -> Result<Redirect, Problem> {
    asked::address_of(&state, &visitor.caller, &query).map(|address| Redirect::to(&address))
}

/// Shows the form, and the hits once anything was asked for that names no person.
pub(super) async fn show(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Query(query): Query<SearchQuery>,
) -> Result<Response, Problem> {
    if query.names_a_person() {
        return Err(Problem::new(kinds::QUERY_INVALID).with_detail(
            "姓名、证件号码、电话和地址不能写在网址里，请在检索页面填写。",
            "A name, identity number, phone or address must not stand in the address of a page; fill in the form.",
        ));
    }
    answer(&state, visitor, query).await
}

/// Shows the hits of a search that was sealed.
pub(super) async fn show_asked(
    State(state): State<ArchiveState>,
    visitor: Visitor,
    Path(sealed): Path<String>,
) -> Result<Response, Problem> {
    let query = asked::opened(&state, &visitor.caller, &sealed)?;
    answer(&state, visitor, query).await
}

async fn answer(state: &ArchiveState, visitor: Visitor, query: SearchQuery) -> Result<Response, Problem> {
    let Visitor { caller, language } = visitor;
    let (answer, mistake) = match search(state, &caller, &query).await {
        Ok(answer) => (Some(answer), String::new()),
        // What the person can mend is said beside the form.
        Err(problem) if is_for_the_person(&problem) => (None, problem.text(language)),
        Err(problem) => return Err(problem),
    };
    let cursor = answer.as_ref().and_then(|answer| answer.next.clone());
    let next = match cursor {
        Some(cursor) => Some(asked::address_of(state, &caller, &SearchQuery { cursor, ..query.clone() })?),
        None => None,
    };
    let states = states(language, &query.state);
    let codes = codes(language, &query.finding);
    page(&SearchPage { frame: Frame::of(&caller, language), query, states, codes, answer, next, mistake })
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
