//! The terms of the archive in the language of the reader.

use domain::{
    access::Role,
    case_file::CaseState,
    cross_check::COPY_OF_EARLIER,
    deadline::DeadlineCode,
    entered_data::WarningReason,
    field::Slot,
    finding::{Difference, FindingCode, FindingState},
    reading::QualityCause,
    scan::ScanState,
};

use crate::language::Language;

/// A role.
pub(super) const fn role(lang: Language, role: Role) -> &'static str {
    let (zh, en) = match role {
        Role::Clerk => ("营业员", "Clerk"),
        Role::ChannelManager => ("渠道经理", "Channel manager"),
        Role::Auditor => ("稽核员", "Auditor"),
        Role::Caller => ("回访员", "Follow-up caller"),
        Role::Archivist => ("档案管理员", "Archivist"),
        Role::Approver => ("审批人", "Approver"),
        Role::Witness => ("监销人", "Witness"),
        Role::LegalHoldOfficer => ("安全保卫", "Legal hold officer"),
        Role::SystemAdmin => ("系统管理员", "System administrator"),
        Role::SecurityAdmin => ("安全管理员", "Security administrator"),
        Role::AuditAdmin => ("审计员", "Audit administrator"),
    };
    lang.pick(zh, en)
}

/// A state of a case file.
pub(super) const fn state(lang: Language, state: CaseState) -> &'static str {
    let (zh, en) = match state {
        CaseState::Assembling => ("待齐", "Assembling"),
        CaseState::Reading => ("识读中", "Reading"),
        CaseState::Checked => ("已比对", "Checked"),
        CaseState::InReview => ("待稽核", "In review"),
        CaseState::Returned => ("已退回", "Returned"),
        CaseState::Accepted => ("已通过", "Accepted"),
        CaseState::Archived => ("已归档", "Archived"),
        CaseState::Due => ("到期", "Due"),
        CaseState::Appraised => ("已鉴定", "Appraised"),
        CaseState::Approved => ("已批准销毁", "Approved"),
        CaseState::Cooling => ("冷静期", "Cooling off"),
        CaseState::Destroyed => ("已销毁", "Destroyed"),
    };
    lang.pick(zh, en)
}

/// A state of a scan.
pub(super) const fn scan_state(lang: Language, state: ScanState) -> &'static str {
    let (zh, en) = match state {
        ScanState::Received => ("已收妥，等待识读", "Received, waits to be read"),
        ScanState::Read => ("已识读，等待归卷", "Read, waits to be placed"),
        ScanState::Placed => ("已归入案卷", "Placed"),
        ScanState::Tray => ("待人工归卷", "In the tray"),
        ScanState::Unreadable => ("无法打开", "Cannot be opened"),
        ScanState::Linked => ("与已有扫描件相同", "Same as another scan"),
    };
    lang.pick(zh, en)
}

/// A kind of finding.
pub(super) const fn code(lang: Language, code: FindingCode) -> &'static str {
    let (zh, en) = match code {
        FindingCode::FieldMismatch => ("与录入不符", "Differs from entry"),
        FindingCode::IdNumberInvalid => ("证件号码无效", "Identity number not valid"),
        FindingCode::IdInconsistent => ("证件信息矛盾", "Identity paper inconsistent"),
        FindingCode::IdExpired => ("证件过期", "Identity paper expired"),
        FindingCode::DocumentMissing => ("缺少材料", "Document missing"),
        FindingCode::SignatureMissing => ("没有签字", "Signature missing"),
        FindingCode::SignatureNameMismatch => ("签字与姓名不符", "Signature is another name"),
        FindingCode::SignatureDiffers => ("签字笔迹不同", "Signature differs"),
        FindingCode::CopyStampMissing => ("复印件未加盖专用章", "Copy stamp missing"),
        FindingCode::Illegible => ("无法辨认", "Illegible"),
        FindingCode::DuplicateScan => ("与他人资料重复", "Filed for another customer"),
        FindingCode::ContactIsCustomer => ("联系人就是客户本人", "Contact is the customer"),
        FindingCode::ContactPhoneIsServiceNumber => {
            ("联系电话就是业务号码", "Contact phone is the service number")
        }
        FindingCode::RequiredFieldEmpty => ("必填项未录入", "Required field empty"),
    };
    lang.pick(zh, en)
}

/// What became of a finding.
pub(super) const fn finding_state(lang: Language, state: FindingState) -> &'static str {
    let (zh, en) = match state {
        FindingState::Open => ("待处理", "Open"),
        FindingState::Accepted => ("已通过", "Accepted"),
        FindingState::Corrected => ("已更正", "Corrected"),
        FindingState::Returned => ("已退回", "Returned"),
        FindingState::Withdrawn => ("已撤销", "Withdrawn"),
    };
    lang.pick(zh, en)
}

/// What must be done in time.
pub(super) const fn deadline(lang: Language, code: DeadlineCode) -> &'static str {
    let (zh, en) = match code {
        DeadlineCode::PapersReturned => ("返表", "Papers handed in"),
        DeadlineCode::Checked => ("稽核", "Checked"),
        DeadlineCode::Rectified => ("整改", "Rectified by the outlet"),
        DeadlineCode::FollowUpCall => ("回访", "Follow-up call"),
        DeadlineCode::CustomerReregisters => ("客户重新登记", "Customer registers again"),
        DeadlineCode::PresumedFalse => ("无资料按虚假处理", "Presumed false without papers"),
        DeadlineCode::HandoverToArchive => ("移交", "Handed over to the archive"),
        DeadlineCode::ComplaintAnswered => ("投诉答复", "Complaint answered"),
    };
    lang.pick(zh, en)
}

/// What there is to doubt in a typed value.
pub(super) const fn warning(lang: Language, reason: WarningReason) -> &'static str {
    let (zh, en) = match reason {
        WarningReason::NotAPhoneNumber => ("不是有效的电话号码", "not a phone number"),
        WarningReason::NotAPostcode => ("不是有效的邮政编码", "not a postcode"),
        WarningReason::PrefixNotAllotted => ("号段未分配", "prefix not allotted to any operator"),
        WarningReason::UnusualForm => ("号码形式少见", "unusual form"),
        WarningReason::OldNumber => ("15 位旧号码", "old number of 15 digits"),
        WarningReason::ManyNumbersOnOneIdentity => {
            ("同一证件名下超过五个号码", "more than five numbers on this identity")
        }
        WarningReason::AfterToday => ("日期在今天之后", "after today"),
    };
    lang.pick(zh, en)
}

/// How two values differ.
pub(super) const fn difference(lang: Language, difference: Difference) -> &'static str {
    let (zh, en) = match difference {
        Difference::OneCharacter => ("差一个字", "One character"),
        Difference::Swapped => ("相邻颠倒", "Swapped"),
        Difference::Variant => ("异体字", "Variant form"),
        Difference::Conflicting => ("不一致", "Conflicting"),
        Difference::Missing => ("一方缺失", "Missing"),
        Difference::Uncertain => ("无法确定", "Uncertain"),
    };
    lang.pick(zh, en)
}

/// Why a page is hard to read.
pub(super) const fn cause(lang: Language, cause: QualityCause) -> &'static str {
    let (zh, en) = match cause {
        QualityCause::Blurred => ("模糊", "Blurred"),
        QualityCause::TooSmall => ("字太小", "Print too small"),
        QualityCause::CutOff => ("没有拍全", "Cut off at the edge"),
        QualityCause::Covered => ("被遮挡", "Covered"),
        QualityCause::Glare => ("反光", "Glare"),
        QualityCause::UnderExposed => ("太暗", "Too dark"),
        QualityCause::OverExposed => ("太亮、字迹发白", "Too light, print washed out"),
        QualityCause::Screen => ("翻拍屏幕", "Photographed from a screen"),
        QualityCause::Blank => ("空白页", "Blank page"),
    };
    lang.pick(zh, en)
}

/// The causes named in the reason of a finding, in words.
pub(super) fn causes_in(lang: Language, reason: &str) -> String {
    if reason == COPY_OF_EARLIER {
        return lang.pick("与以前的签字是同一图像", "The picture of an earlier signature").to_owned();
    }
    let causes = reason.split(',').filter_map(|word| word.parse().ok());
    joined(lang, causes.map(|known| cause(lang, known)))
}

/// Words one after the other.
pub(super) fn joined(lang: Language, words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<Vec<_>>().join(lang.pick("、", ", "))
}

/// A slot.
pub(super) const fn slot(lang: Language, slot: Slot) -> &'static str {
    let (zh, en) = match slot {
        Slot::Slip => ("业务确认单", "Service confirmation"),
        Slot::IdFront => ("证件人像面", "Identity paper, front"),
        Slot::IdBack => ("证件国徽面", "Identity paper, back"),
        Slot::AgentIdFront => ("代办人证件人像面", "Agent's paper, front"),
        Slot::AgentIdBack => ("代办人证件国徽面", "Agent's paper, back"),
        Slot::Authorisation => ("授权书", "Authorisation"),
        Slot::Licence => ("营业执照", "Business licence"),
        Slot::Attachment => ("其他附件", "Attachment"),
    };
    lang.pick(zh, en)
}

/// What a finding or an entered value is about, by its name in exports.
pub(super) fn subject(lang: Language, name: &str) -> String {
    if let Ok(known) = name.parse::<Slot>() {
        return slot(lang, known).to_owned();
    }
    if lang == Language::English {
        return name.replace('_', " ");
    }
    let (agent, rest) = match name.strip_prefix("agent_") {
        Some(rest) if rest != "name" || name == "agent_name" => ("代办人", rest),
        _ => ("", name),
    };
    let zh = match rest {
        "name" => "姓名",
        "customer_name" => "客户名称",
        "customer_type" => "客户类型",
        "id_type" => "证件类型",
        "id_number" => "证件号码",
        "id_address" => "证件地址",
        "id_sex" | "sex" => "性别",
        "id_birth" | "birth" => "出生日期",
        "id_valid_from" | "valid_from" => "有效期起",
        "id_valid_to" | "valid_to" => "有效期止",
        "id_copy" => "证件复印件",
        "handler_phone" => "经办人电话",
        "organisation_nature" => "单位性质",
        "organisation_number" => "组织机构代码",
        "organisation_phone" => "单位电话",
        "postcode" => "邮政编码",
        "home_region" => "归属地",
        "industry" => "行业类别",
        "contact_name" => "联系人",
        "contact_phone" => "联系电话",
        "mailing_address" => "通信地址",
        "service_number" => "业务号码",
        "slip_number" => "业务流水号",
        "outlet_code" => "网点编码",
        "accepted_on" => "受理日期",
        "staff_number" => "受理人工号",
        "product" => "办理业务",
        "signature" => "客户签字",
        "nation" => "民族",
        "authority" => "签发机关",
        other => other,
    };
    format!("{agent}{zh}")
}
