//! What a message says: a version, the kind of job and its id. Nothing else ever travels.

use domain::{ids::JobId, job::JobName};
use serde::{Deserialize, Serialize};

use crate::queue::Ring;

const VERSION: u32 = 1;
/// No ring is longer; what is longer is not even looked at.
const MAX_BYTES: usize = 256;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    version: u32,
    name: JobName,
    job: JobId,
}

/// The ring as it travels.
pub(super) fn encode(ring: Ring) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Message { version: VERSION, name: ring.name, job: ring.job })
}

/// The ring in a message from the queue of this kind of job; `None` for what is none.
pub(super) fn decode(bytes: &[u8], name: JobName) -> Option<Ring> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let message: Message = serde_json::from_slice(bytes).ok()?;
    let is_ours = message.version == VERSION && message.name == name;
    is_ours.then_some(Ring { job: message.job, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Ring {
        Ring { job: JobId::from_uuid(uuid::Uuid::from_u128(7)), name: JobName::PlaceScan }
    }

    #[test]
    fn a_ring_comes_back_as_it_went() {
        let bytes = encode(ring()).unwrap();

        assert_eq!(decode(&bytes, JobName::PlaceScan), Some(ring()));
        assert_eq!(decode(&bytes, JobName::ReadScan), None, "it lies in the wrong queue");
    }

    #[test]
    fn what_is_no_ring_of_this_version_is_refused() {
        let text = String::from_utf8(encode(ring()).unwrap()).unwrap();
        let newer = text.replace("\"version\":1", "\"version\":2");
        let with_more = text.replace('}', ",\"name_of_customer\":\"x\"}");
        let padded = format!("{text}{}", " ".repeat(MAX_BYTES));

        for bytes in [newer.as_bytes(), with_more.as_bytes(), padded.as_bytes(), b"", b"\xff\x00garbage"] {
            assert_eq!(decode(bytes, JobName::PlaceScan), None);
        }
    }
}
