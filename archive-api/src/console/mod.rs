//! The console: pages made on the server, in Chinese or English, without a script.
//!
//! Every page does what an endpoint of the API does, by the same function. Start with `start`.

mod asked;
mod case_page;
mod decisions;
mod layout;
mod search_page;
mod sign_in;
mod start;
#[cfg(test)]
mod tests;
mod tray_page;
mod upload_page;
mod visitor;
mod words;

use axum::{
    Router,
    http::header,
    middleware,
    response::IntoResponse,
    routing::{get, post},
};

use crate::{
    router::{not_allowed, nothing_here},
    state::ArchiveState,
};

/// The pages.
pub(crate) fn router(state: ArchiveState) -> Router<ArchiveState> {
    Router::new()
        .route("/", get(start::start))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/language/{tag}", get(sign_in::choose_language))
        .route("/case-files", get(search_page::show).post(search_page::ask))
        .route("/searches/{asked}", get(search_page::show_asked))
        .route("/case-files/{id}", get(case_page::show))
        .route("/case-files/{id}/take", post(decisions::take))
        .route("/case-files/{id}/take-over", post(decisions::take_over))
        .route("/case-files/{id}/give-back", post(decisions::give_back))
        .route("/findings/{id}/accept", post(decisions::accept))
        .route("/findings/{id}/return", post(decisions::return_to_outlet))
        .route("/tray", get(tray_page::show))
        .route("/tray/{id}/place", post(tray_page::place))
        .route("/upload", get(upload_page::show).post(upload_page::upload))
        .route("/uploads/{id}", get(upload_page::progress))
        .route("/console.css", get(style))
        .fallback(nothing_here)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(state, layout::show_problems))
}

async fn style() -> impl IntoResponse {
    const STYLE: &str = include_str!("../../templates/console.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=3600")], STYLE)
}
