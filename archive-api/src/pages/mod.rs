//! Pages: their image under a watermark, and corrections by a person.

mod correct;
mod image;
mod letters;
mod picture_pool;
mod watermark;

pub(crate) use self::image::get_image;
pub(crate) use self::picture_pool::PicturePool;
pub(crate) use correct::correct;

use backends::database::{Transaction, case_files::CaseFileRow, pages::PageRow, scans::ScanRow};
use domain::{access::Action, ids::PageId};

use crate::{
    caller::Caller,
    problem::{Problem, kinds},
    scans::visible_scan,
};

/// A page with its scan and case file, if this caller may do `action` to it.
async fn visible_page(
    tx: &mut dyn Transaction,
    caller: &Caller,
    action: Action,
    id: PageId,
) -> Result<(PageRow, ScanRow, Option<CaseFileRow>), Problem> {
    let page = tx.pages().find(id).await?.ok_or_else(|| Problem::new(kinds::NOT_FOUND))?;
    let (scan, case_file) = visible_scan(tx, caller, action, page.scan_id).await?;
    Ok((page, scan, case_file))
}
