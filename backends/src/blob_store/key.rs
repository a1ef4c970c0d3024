//! Keys of objects: the one place that turns meaning into a path, and back.

use domain::ids::{IndexSnapshotId, ScanId, UploadTicketId};
use uuid::Uuid;

/// Where what upload tickets bring lies.
pub(super) const QUARANTINE: &str = "quarantine";

/// What an object is. Paths hold ids only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobKey {
    /// The bytes of a scan as received, sealed.
    Scan(ScanId),
    /// What the holder of an upload ticket brought, before it has passed the intake.
    Quarantine(UploadTicketId),
    /// A snapshot of the search index, sealed.
    IndexSnapshot(IndexSnapshotId),
    /// Written and removed at start, to see whether the store keeps its promises.
    Probe(Uuid),
}

impl BlobKey {
    /// The path in the store. The random end of the id leads, so that keys spread over folders and partitions.
    pub fn path(self) -> String {
        let (kind, id) = match self {
            Self::Scan(id) => ("scans", id.uuid()),
            Self::Quarantine(id) => (QUARANTINE, id.uuid()),
            Self::IndexSnapshot(id) => ("index-snapshots", id.uuid()),
            Self::Probe(id) => ("probes", id),
        };
        let text = id.simple().to_string();
        format!("{kind}/{}/{text}", &text[30..])
    }

    /// Reads a path back; `None` for what this program did not write.
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.split_once('/')?;
        let id = Uuid::try_parse(rest.split_once('/')?.1).ok()?;
        let key = match kind {
            "scans" => Self::Scan(ScanId::from_uuid(id)),
            QUARANTINE => Self::Quarantine(UploadTicketId::from_uuid(id)),
            "index-snapshots" => Self::IndexSnapshot(IndexSnapshotId::from_uuid(id)),
            "probes" => Self::Probe(id),
            _ => return None,
        };
        (key.path() == path).then_some(key)
    }

    /// Whether it belongs to this copy of the archive alone, so that no backup and no move takes it along.
    pub(crate) const fn stays_behind(self) -> bool {
        matches!(self, Self::IndexSnapshot(_) | Self::Probe(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_back_and_a_foreign_one_is_not() {
        let id = Uuid::from_u128(0x0192_7f00_0000_7000_8000_0000_0000_00ab);
        for key in [
            BlobKey::Scan(ScanId::from_uuid(id)),
            BlobKey::Quarantine(UploadTicketId::from_uuid(id)),
            BlobKey::IndexSnapshot(IndexSnapshotId::from_uuid(id)),
            BlobKey::Probe(id),
        ] {
            assert_eq!(BlobKey::parse(&key.path()), Some(key));
        }
        assert_eq!(BlobKey::parse("scans/ab/nobody"), None);
        assert_eq!(BlobKey::parse(&format!("scans/00/{}", id.simple())), None);
        assert_eq!(BlobKey::parse("readme.txt"), None);
    }
}
