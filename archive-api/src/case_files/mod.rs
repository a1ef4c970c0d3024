//! Case files: searching them, reading one, seeing values clear, taking one as a task.

mod assign;
mod get_case_file;
mod loading;
mod search;
mod search_query;
mod show;
mod unmask;
mod view;

pub(crate) use assign::{Assign, Task, assign, post_assign};
pub(crate) use get_case_file::{get_case_file, read_case_file};
pub(crate) use search::{FoundCaseFile, SearchAnswer, get_case_files, search, search_case_files};
pub(crate) use search_query::SearchQuery;
pub(crate) use show::{Reader, ReasonGiven, Shown};
pub(crate) use unmask::unmask;
pub(crate) use view::{CaseFileView, FindingView, ReadingView, finding_view};

#[cfg(test)]
mod task_tests;
#[cfg(test)]
mod tests;
