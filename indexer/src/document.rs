//! What the index is told about a case file.

use std::fmt;

use chrono::NaiveDate;
use domain::{case_file::CaseState, finding::FindingCode, ids::CaseFileId};

/// A case file (案卷) as it goes into the index. Personal values come in clear and leave as tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct CaseDocument {
    /// The case file.
    pub case_file_id: CaseFileId,
    /// Number of the acceptance (业务流水号); empty while it is not known.
    pub slip_number: String,
    /// Code of the outlet (受理网点编码).
    pub outlet_code: String,
    /// Code of the branch the outlet belongs to.
    pub branch_code: String,
    /// Sales channel (渠道).
    pub channel: String,
    /// Day of acceptance (受理日期).
    pub accepted_on: NaiveDate,
    /// Where it stands in its life.
    pub state: CaseState,
    /// Kinds of its findings that are not withdrawn.
    pub finding_codes: Vec<FindingCode>,
    /// Whether any finding is open.
    pub has_open_findings: bool,
    /// Archival code (档号), once filed.
    pub archival_code: Option<String>,
    /// Names of the customer and the agent.
    pub names: Vec<String>,
    /// Identity numbers of the customer and the agent.
    pub id_numbers: Vec<String>,
    /// Service numbers and the contact phone.
    pub phones: Vec<String>,
    /// Addresses on the identity paper and for post.
    pub addresses: Vec<String>,
}

impl fmt::Debug for CaseDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaseDocument")
            .field("case_file_id", &self.case_file_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
