//! Keys: one random data key for each case file and each scan, wrapped by the root key, in a store of their own.
//!
//! A scan's key is wrapped by the root key while the scan waits in the tray, and by the key of its case file
//! once it is placed. So destroying the case file's key makes scans, readings and entered data unreadable at once.

mod data_key;
mod key_store;
mod root_key;
mod spool;
mod stream;

pub use data_key::{DataKey, SealedPlace};
pub use key_store::{KeyPurpose, Vault, Wrapper};
pub(crate) use key_store::{KeyTable, WrappedKey};
pub use root_key::{RootKey, RootKeyError};
pub use spool::{SpoolFolder, SpooledObject, SpooledSeal};
pub use stream::{OpenStream, SealStream};
