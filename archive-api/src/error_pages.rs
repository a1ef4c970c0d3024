//! `GET /docs/errors/{code}`: what a code means and what to do, as `docs/errors` has it. Every problem leads here.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

use crate::{
    extract::Path,
    problem::{Problem, kinds},
};

/// Answers with the page of a code, as it was written, to whoever asks: nothing in it is secret.
pub(crate) async fn get_error_page(Path(code): Path<String>) -> Result<Response, Problem> {
    let code = code.strip_suffix(".md").unwrap_or(&code);
    let found = PAGES.iter().find(|(name, _)| *name == code);
    let (_, text) = found.ok_or_else(|| Problem::new(kinds::NOT_FOUND))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], *text).into_response())
}

/// Every page, by its code.
const PAGES: [(&str, &str); 74] = [
    ("already_assigned", include_str!("../../docs/errors/already_assigned.md")),
    ("archive_not_supported", include_str!("../../docs/errors/archive_not_supported.md")),
    ("case_file_closed", include_str!("../../docs/errors/case_file_closed.md")),
    ("conflict", include_str!("../../docs/errors/conflict.md")),
    ("cross_site", include_str!("../../docs/errors/cross_site.md")),
    ("damaged_file", include_str!("../../docs/errors/damaged_file.md")),
    ("decoder_crashed", include_str!("../../docs/errors/decoder_crashed.md")),
    ("decoder_forbidden_call", include_str!("../../docs/errors/decoder_forbidden_call.md")),
    ("decoder_not_started", include_str!("../../docs/errors/decoder_not_started.md")),
    ("decoder_out_of_memory", include_str!("../../docs/errors/decoder_out_of_memory.md")),
    ("decoder_timed_out", include_str!("../../docs/errors/decoder_timed_out.md")),
    ("empty_file", include_str!("../../docs/errors/empty_file.md")),
    ("encrypted_pdf", include_str!("../../docs/errors/encrypted_pdf.md")),
    ("entries", include_str!("../../docs/errors/entries.md")),
    ("entries_column_twice", include_str!("../../docs/errors/entries_column_twice.md")),
    ("entries_columns_missing", include_str!("../../docs/errors/entries_columns_missing.md")),
    ("entries_unreadable", include_str!("../../docs/errors/entries_unreadable.md")),
    ("executable_not_supported", include_str!("../../docs/errors/executable_not_supported.md")),
    ("expands_too_much", include_str!("../../docs/errors/expands_too_much.md")),
    ("file_too_large", include_str!("../../docs/errors/file_too_large.md")),
    ("finding_settled", include_str!("../../docs/errors/finding_settled.md")),
    ("forbidden", include_str!("../../docs/errors/forbidden.md")),
    ("format_not_supported", include_str!("../../docs/errors/format_not_supported.md")),
    ("gif_not_supported", include_str!("../../docs/errors/gif_not_supported.md")),
    ("heic_not_supported", include_str!("../../docs/errors/heic_not_supported.md")),
    ("html_not_supported", include_str!("../../docs/errors/html_not_supported.md")),
    ("idempotency_key_used", include_str!("../../docs/errors/idempotency_key_used.md")),
    ("index_behind", include_str!("../../docs/errors/index_behind.md")),
    ("internal", include_str!("../../docs/errors/internal.md")),
    ("invalid_request", include_str!("../../docs/errors/invalid_request.md")),
    ("job_not_dead", include_str!("../../docs/errors/job_not_dead.md")),
    ("method_not_allowed", include_str!("../../docs/errors/method_not_allowed.md")),
    ("mixed_formats", include_str!("../../docs/errors/mixed_formats.md")),
    ("no_files", include_str!("../../docs/errors/no_files.md")),
    ("no_open_finding", include_str!("../../docs/errors/no_open_finding.md")),
    ("no_pages", include_str!("../../docs/errors/no_pages.md")),
    ("no_such_page", include_str!("../../docs/errors/no_such_page.md")),
    ("no_text_layer", include_str!("../../docs/errors/no_text_layer.md")),
    ("not_found", include_str!("../../docs/errors/not_found.md")),
    ("nothing_taken", include_str!("../../docs/errors/nothing_taken.md")),
    ("office_not_supported", include_str!("../../docs/errors/office_not_supported.md")),
    ("outlet_unknown", include_str!("../../docs/errors/outlet_unknown.md")),
    ("page_damaged", include_str!("../../docs/errors/page_damaged.md")),
    ("page_not_shown", include_str!("../../docs/errors/page_not_shown.md")),
    ("page_not_supported", include_str!("../../docs/errors/page_not_supported.md")),
    ("page_too_large", include_str!("../../docs/errors/page_too_large.md")),
    ("pages_busy", include_str!("../../docs/errors/pages_busy.md")),
    ("placing_given_up", include_str!("../../docs/errors/placing_given_up.md")),
    ("query_invalid", include_str!("../../docs/errors/query_invalid.md")),
    ("reading_given_up", include_str!("../../docs/errors/reading_given_up.md")),
    ("reason_required", include_str!("../../docs/errors/reason_required.md")),
    ("request_too_large", include_str!("../../docs/errors/request_too_large.md")),
    ("sandbox_unavailable", include_str!("../../docs/errors/sandbox_unavailable.md")),
    ("scan_not_placeable", include_str!("../../docs/errors/scan_not_placeable.md")),
    ("scan_too_large", include_str!("../../docs/errors/scan_too_large.md")),
    ("search_node_only", include_str!("../../docs/errors/search_node_only.md")),
    ("search_unavailable", include_str!("../../docs/errors/search_unavailable.md")),
    ("storage_full", include_str!("../../docs/errors/storage_full.md")),
    ("svg_not_supported", include_str!("../../docs/errors/svg_not_supported.md")),
    ("text_not_supported", include_str!("../../docs/errors/text_not_supported.md")),
    ("ticket_expired", include_str!("../../docs/errors/ticket_expired.md")),
    ("ticket_mismatch", include_str!("../../docs/errors/ticket_mismatch.md")),
    ("ticket_not_used", include_str!("../../docs/errors/ticket_not_used.md")),
    ("tickets_not_offered", include_str!("../../docs/errors/tickets_not_offered.md")),
    ("too_many_files", include_str!("../../docs/errors/too_many_files.md")),
    ("too_many_pages", include_str!("../../docs/errors/too_many_pages.md")),
    ("too_many_tasks", include_str!("../../docs/errors/too_many_tasks.md")),
    ("unauthenticated", include_str!("../../docs/errors/unauthenticated.md")),
    ("unavailable", include_str!("../../docs/errors/unavailable.md")),
    ("upload_incomplete", include_str!("../../docs/errors/upload_incomplete.md")),
    ("upload_timed_out", include_str!("../../docs/errors/upload_timed_out.md")),
    ("variant_not_supported", include_str!("../../docs/errors/variant_not_supported.md")),
    ("video_not_supported", include_str!("../../docs/errors/video_not_supported.md")),
    ("wrong_media_type", include_str!("../../docs/errors/wrong_media_type.md")),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::PAGES;
    use crate::{router::router, testing::TestArchive};

    #[test]
    fn every_page_of_the_folder_is_served() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/errors");
        let files =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());

        let served: BTreeSet<String> = PAGES.iter().map(|(code, _)| format!("{code}.md")).collect();

        assert_eq!(served, files.collect());
    }

    #[tokio::test]
    async fn the_type_of_a_problem_leads_to_its_page() {
        let archive = TestArchive::open().await;
        let (_, problem) = archive.get("gd_0000", "/api/v1/tray").await;
        let address = problem["type"].as_str().unwrap();

        let request = Request::get(address).body(Body::empty()).unwrap();
        let answer = router(archive.state.clone()).oneshot(request).await.unwrap();

        let (status, media_type) = (answer.status().as_u16(), answer.headers()["content-type"].clone());
        let text = answer.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert_eq!((status, media_type.to_str().unwrap()), (200, "text/plain; charset=utf-8"));
        assert!(text.starts_with("# unauthenticated") && text.contains("请先登录"), "{text}");
    }
}
