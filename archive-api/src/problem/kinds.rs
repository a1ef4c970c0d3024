//! Every kind of problem that this crate answers with, apart from refusals of files.

/// A kind of problem; `docs/errors/<code>.md` says what happened and what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The stable code.
    pub code: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// What happened and what to do, in Chinese.
    pub zh: &'static str,
    /// The same in English.
    pub en: &'static str,
}

const fn kind(status: u16, code: &'static str, zh: &'static str, en: &'static str) -> Kind {
    Kind { code, status, zh, en }
}

/// No valid token came along.
pub const UNAUTHENTICATED: Kind = kind(
    401,
    "unauthenticated",
    "请先登录：请求没有带有效的令牌。",
    "Sign in first: the request carries no valid token.",
);
/// The role does not have the action.
pub const FORBIDDEN: Kind = kind(403, "forbidden", "您的岗位不能做这项操作。", "Your role may not do this.");
/// The request came from another site and was not carried out.
pub const CROSS_SITE: Kind = kind(
    403,
    "cross_site",
    "请求来自别的网站，未执行。请在本系统页面内操作。",
    "The request came from another site and was not carried out. Work from the pages of this system.",
);
/// Nothing was found here, or it is not yours to see.
pub const NOT_FOUND: Kind =
    kind(404, "not_found", "没有找到，或您无权查看。", "Nothing was found here, or it is not yours to see.");
/// The address takes other methods.
pub const METHOD_NOT_ALLOWED: Kind = kind(
    405,
    "method_not_allowed",
    "这个地址不支持这种操作方式，可用的方法见 Allow。",
    "This address does not take that method; Allow names those it takes.",
);
/// The request cannot be understood.
pub const INVALID_REQUEST: Kind =
    kind(400, "invalid_request", "请求的内容无法理解。", "The request cannot be understood.");
/// A reason must be given.
pub const REASON_REQUIRED: Kind = kind(400, "reason_required", "请写明原因。", "A reason must be given.");
/// The search cannot be carried out as it is.
pub const QUERY_INVALID: Kind =
    kind(400, "query_invalid", "查询条件有误。", "The search cannot be carried out as it is.");
/// There is no file in the request.
pub const NO_FILES: Kind = kind(400, "no_files", "请求里没有文件。", "There is no file in the request.");
/// There are too many files in one request; nothing of it was kept.
pub const TOO_MANY_FILES: Kind = kind(
    400,
    "too_many_files",
    "一次上传的文件太多，请分几次上传；本次没有保存任何文件。",
    "There are too many files in one request; nothing of it was kept. Send them in several requests.",
);
/// The upload broke off and nothing of it was kept.
pub const UPLOAD_INCOMPLETE: Kind = kind(
    400,
    "upload_incomplete",
    "上传中断，本次没有保存任何文件。请重新上传。",
    "The upload broke off and nothing of it was kept. Send it again.",
);
/// No data came for too long and nothing was kept.
pub const UPLOAD_TIMED_OUT: Kind = kind(
    408,
    "upload_timed_out",
    "长时间没有收到数据，本次没有保存任何文件。请重新上传。",
    "No data came for too long and nothing was kept. Send it again.",
);
/// The file of entered data cannot be read; no line was imported.
pub const ENTRIES_UNREADABLE: Kind = kind(
    400,
    "entries_unreadable",
    "录入资料文件无法读取，没有导入任何一行。",
    "The file of entered data cannot be read; no line was imported.",
);
/// The file of entered data lacks columns that are needed; no line was imported.
pub const ENTRIES_COLUMNS_MISSING: Kind = kind(
    400,
    "entries_columns_missing",
    "录入资料文件缺少必需的列，没有导入任何一行。",
    "The file of entered data lacks columns that are needed; no line was imported.",
);
/// One header stands over two columns of entered data.
pub const ENTRIES_COLUMN_TWICE: Kind = kind(
    400,
    "entries_column_twice",
    "录入资料文件有重复的表头，没有导入任何一行。",
    "The file of entered data has one header over several columns; no line was imported.",
);
/// Somebody changed the same thing just now.
pub const CONFLICT: Kind = kind(
    409,
    "conflict",
    "刚刚有人改动了同一内容。请刷新后再试。",
    "Somebody changed the same thing just now. Load it again and retry.",
);
/// This scan cannot be placed or taken out as it stands.
pub const SCAN_NOT_PLACEABLE: Kind = kind(
    409,
    "scan_not_placeable",
    "这份扫描件现在不能归入或移出案卷。",
    "This scan cannot be placed or taken out as it stands.",
);
/// The case file is on its way to appraisal or destruction and can no longer be changed.
pub const CASE_FILE_CLOSED: Kind = kind(
    409,
    "case_file_closed",
    "案卷正在鉴定或销毁流程中，不能再改动。",
    "The case file is on its way to appraisal or destruction and can no longer be changed.",
);
/// This finding has been settled already.
pub const FINDING_SETTLED: Kind =
    kind(409, "finding_settled", "这条稽核问题已经处理过。", "This finding has been settled already.");
/// Somebody else works on this case file.
pub const ALREADY_ASSIGNED: Kind =
    kind(409, "already_assigned", "案卷已由他人处理。", "Somebody else works on this case file.");
/// Nothing in this case file waits for an auditor.
pub const NO_OPEN_FINDING: Kind = kind(
    409,
    "no_open_finding",
    "案卷没有待处理的稽核问题，不能领取。",
    "Nothing in this case file waits for an auditor.",
);
/// You have as many case files as tasks as one may have at once.
pub const TOO_MANY_TASKS: Kind = kind(
    409,
    "too_many_tasks",
    "您领取的案卷已达上限，请先处理或交还一部分。",
    "You have as many case files as tasks as one may have at once.",
);
/// The job has not been given up; there is nothing to retry.
pub const JOB_NOT_DEAD: Kind = kind(
    409,
    "job_not_dead",
    "任务没有停下，不需要重试。",
    "The job has not been given up; there is nothing to retry.",
);
/// Objects are not kept where a file could be brought to directly.
pub const TICKETS_NOT_OFFERED: Kind = kind(
    409,
    "tickets_not_offered",
    "本系统的文件保存在本地，不能直传。请用 POST /api/v1/scans 上传。",
    "Files are kept in a local folder here and cannot be brought to it directly. Send them to POST /api/v1/scans.",
);
/// Nothing was brought with this ticket yet.
pub const TICKET_NOT_USED: Kind = kind(
    409,
    "ticket_not_used",
    "这张上传凭证的文件还没有送到。请先按凭证上传文件。",
    "No file has come with this upload ticket yet. Send the file to its address first.",
);
/// The ticket is over; nothing of it was kept.
pub const TICKET_EXPIRED: Kind = kind(
    410,
    "ticket_expired",
    "这张上传凭证已经失效，没有保存任何文件。请重新申请。",
    "This upload ticket is over and nothing of it was kept. Ask for another one.",
);
/// The request is too large.
pub const REQUEST_TOO_LARGE: Kind = kind(413, "request_too_large", "请求太大。", "The request is too large.");
/// This kind of content is not taken here.
pub const WRONG_MEDIA_TYPE: Kind =
    kind(415, "wrong_media_type", "请求的内容类型不受支持。", "This kind of content is not taken here.");
/// None of the files was taken; each says why.
pub const NOTHING_TAKEN: Kind = kind(
    422,
    "nothing_taken",
    "没有一个文件可以接收，原因见各个文件。",
    "None of the files was taken; each says why.",
);
/// The idempotency key was used for other files; nothing was kept.
pub const IDEMPOTENCY_KEY_USED: Kind = kind(
    422,
    "idempotency_key_used",
    "这个 Idempotency-Key 已用于另一次上传，本次没有保存任何文件。请换一个新的再上传。",
    "This Idempotency-Key was used for another upload and nothing was kept. Send the files again under a new one.",
);
/// Another file was brought than the ticket was made for.
pub const TICKET_MISMATCH: Kind = kind(
    422,
    "ticket_mismatch",
    "送到的文件与上传凭证不符，没有保存。请重新申请凭证并上传。",
    "The file that came is not the one the upload ticket was made for; it was not kept. Ask for another ticket.",
);
/// This page cannot be shown; the scan as received is kept safe.
pub const PAGE_NOT_SHOWN: Kind = kind(
    422,
    "page_not_shown",
    "这一页无法显示，原件完好保存。",
    "This page cannot be shown; the scan as received is kept safe.",
);
/// This node searches and does nothing else.
pub const SEARCH_NODE_ONLY: Kind = kind(
    421,
    "search_node_only",
    "这个节点只做检索。请把请求发给运行 guidang serve 的服务器。",
    "This node searches and does nothing else. Send the request to a server that runs `guidang serve`.",
);
/// Something went wrong inside and was logged.
pub const INTERNAL: Kind = kind(
    500,
    "internal",
    "系统内部出错，已记录。请把追踪号告诉管理员。",
    "Something went wrong inside and was logged. Give the trace id to the administrator.",
);
/// The archive is not available just now.
pub const UNAVAILABLE: Kind = kind(
    503,
    "unavailable",
    "系统暂时不可用，请稍后重试。",
    "The archive is not available just now. Try again shortly.",
);
/// So many pages are being shown that no more can wait.
pub const PAGES_BUSY: Kind = kind(
    503,
    "pages_busy",
    "正在显示的页面太多，请稍后重试。",
    "Too many pages are being shown just now. Try again shortly.",
);
/// The search index is being prepared.
pub const SEARCH_UNAVAILABLE: Kind = kind(
    503,
    "search_unavailable",
    "检索正在准备，请稍后重试。",
    "The search index is being prepared. Try again shortly.",
);
/// The index of this node has not followed to the change that was asked for.
pub const INDEX_BEHIND: Kind = kind(
    503,
    "index_behind",
    "检索还没有跟上最近的改动，请稍后重试。",
    "The index has not followed to that change yet. Try again shortly, or without at_least.",
);
/// The storage is full and nothing was kept.
pub const STORAGE_FULL: Kind = kind(
    507,
    "storage_full",
    "存储空间已满，本次没有保存任何内容。请通知管理员。",
    "The storage is full and nothing was kept. Tell the administrator.",
);

/// Every kind.
pub(crate) const ALL: [Kind; 39] = [
    UNAUTHENTICATED,
    FORBIDDEN,
    CROSS_SITE,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    INVALID_REQUEST,
    REASON_REQUIRED,
    QUERY_INVALID,
    NO_FILES,
    TOO_MANY_FILES,
    UPLOAD_INCOMPLETE,
    UPLOAD_TIMED_OUT,
    ENTRIES_UNREADABLE,
    ENTRIES_COLUMNS_MISSING,
    ENTRIES_COLUMN_TWICE,
    CONFLICT,
    SCAN_NOT_PLACEABLE,
    CASE_FILE_CLOSED,
    FINDING_SETTLED,
    ALREADY_ASSIGNED,
    NO_OPEN_FINDING,
    TOO_MANY_TASKS,
    JOB_NOT_DEAD,
    TICKETS_NOT_OFFERED,
    TICKET_NOT_USED,
    TICKET_EXPIRED,
    TICKET_MISMATCH,
    REQUEST_TOO_LARGE,
    WRONG_MEDIA_TYPE,
    NOTHING_TAKEN,
    IDEMPOTENCY_KEY_USED,
    PAGE_NOT_SHOWN,
    INTERNAL,
    UNAVAILABLE,
    PAGES_BUSY,
    SEARCH_UNAVAILABLE,
    INDEX_BEHIND,
    SEARCH_NODE_ONLY,
    STORAGE_FULL,
];
