//! What all pages share: rendering, and problems as pages.

use askama::Template;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};

use super::visitor::language_of;
use crate::{
    caller::Caller,
    language::Language,
    problem::{Problem, kinds},
    state::ArchiveState,
};

/// What the frame of every page shows.
pub(super) struct Frame {
    pub lang: Language,
    /// Empty while nobody is signed in.
    pub staff_number: String,
    pub role: &'static str,
}

impl Frame {
    pub(super) fn of(caller: &Caller, lang: Language) -> Self {
        let role = super::words::role(lang, caller.role);
        Self { lang, staff_number: caller.account.staff_number.clone(), role }
    }

    pub(super) const fn nobody(lang: Language) -> Self {
        Self { lang, staff_number: String::new(), role: "" }
    }
}

/// Renders a page.
pub(super) fn page(template: &impl Template) -> Result<Response, Problem> {
    let html = template.render().map_err(|error| Problem::new(kinds::INTERNAL).caused_by(error))?;
    Ok(Html(html).into_response())
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    text: String,
    code: &'static str,
    trace_id: String,
}

/// Shows problems as pages; whoever is not signed in is asked to sign in. An address of the API that there is not comes
/// by here too, and is answered as the API answers.
pub(super) async fn show_problems(
    State(state): State<ArchiveState>,
    request: Request,
    next: Next,
) -> Response {
    let lang = language_of(request.headers());
    let method = request.method().clone();
    let is_for_programs = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if is_for_programs {
        return response;
    }
    let Some(problem) = response.extensions_mut().remove::<Problem>() else { return response };
    if problem.kind() == kinds::UNAUTHENTICATED {
        return Redirect::to("/sign-in").into_response();
    }
    let trace_id = problem.log_if_ours(&state, method.as_str(), None).unwrap_or_default();
    let shown = ProblemPage {
        frame: Frame::nobody(lang),
        text: problem.text(lang),
        code: problem.kind().code,
        trace_id,
    };
    match shown.render() {
        Ok(html) => (problem.status(), Html(html)).into_response(),
        Err(_) => problem.into_response(),
    }
}
