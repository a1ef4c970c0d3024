//! The key store and the vault in front of it.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::ids::KeyId;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use uuid::Uuid;

use super::{data_key::DataKey, root_key::RootKey};
use crate::{clock::new_id, error::StorageError};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPurpose {
    /// Personal columns of one case file; wraps the keys of its scans.
    CaseFile,
    /// The bytes, pages and readings of one scan.
    Scan,
    /// A snapshot of the search index.
    IndexSnapshot,
    /// Keyed hashes of the blind index.
    BlindIndex,
    /// Signs heads of the operation log (Ed25519, RFC 8032).
    LogSigning,
}

impl KeyPurpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::CaseFile => "case_file",
            Self::Scan => "scan",
            Self::IndexSnapshot => "index_snapshot",
            Self::BlindIndex => "blind_index",
            Self::LogSigning => "log_signing",
        }
    }
}

/// What wraps the key of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// The root key: the scan waits for a place.
    Root,
    /// The key of a case file.
    CaseFile(KeyId),
}

/// One wrapped key as stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct WrappedKey {
    pub id: Uuid,
    pub wrapped_by: Uuid,
    pub wrapped: Vec<u8>,
    pub purpose: String,
    pub made_at: DateTime<Utc>,
}

/// The table of wrapped keys. Every change is durable when it returns.
#[async_trait]
pub(crate) trait KeyTable: Send + Sync {
    /// Adds all or none; a wrapping that is there already stays and counts as made anew, and what was destroyed stays
    /// away.
    async fn add(&self, keys: &[WrappedKey]) -> Result<(), StorageError>;
    /// Adds the one key of a purpose of which an archive has one; whoever comes second adds nothing.
    async fn add_only(&self, key: &WrappedKey) -> Result<(), StorageError>;
    /// The wrappings of many keys, in no order.
    async fn wrappings_of(&self, ids: &[Uuid]) -> Result<Vec<WrappedKey>, StorageError>;
    async fn with_purpose(&self, purpose: &str) -> Result<Vec<WrappedKey>, StorageError>;
    /// Keys that were wrapped between `since` and `until`, that have several wrappings, none of them later; each with
    /// all that wraps it.
    async fn wrapped_twice(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Vec<(Uuid, Uuid)>, StorageError>;
    /// Removes one wrapping.
    async fn remove(&self, id: KeyId, wrapped_by: Uuid) -> Result<(), StorageError>;
    /// Removes one wrapping unless it was made, or made anew, at `before` or later.
    async fn remove_older(
        &self,
        id: KeyId,
        wrapped_by: Uuid,
        before: DateTime<Utc>,
    ) -> Result<(), StorageError>;
    /// Removes every wrapping of a key and remembers its id for ever; both or neither.
    async fn destroy(&self, id: Uuid) -> Result<(), StorageError>;
    /// Whether this key was destroyed.
    async fn was_destroyed(&self, id: Uuid) -> Result<bool, StorageError>;
    /// Answers, however many keys there are.
    async fn probe(&self) -> Result<(), StorageError>;
    async fn count(&self) -> Result<i64, StorageError>;
}

/// Hands out data keys. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    root: Arc<RootKey>,
    table: Arc<dyn KeyTable>,
    blind: DataKey,
    signing: SigningKey,
}

impl Vault {
    /// Opens the key store with the root key; makes the keys every archive needs on first use.
    pub(crate) async fn open(
        root: RootKey,
        table: Arc<dyn KeyTable>,
        now: DateTime<Utc>,
    ) -> Result<Self, StorageError> {
        let blind = named_key(&root, table.as_ref(), KeyPurpose::BlindIndex, now).await?;
        let signing = named_key(&root, table.as_ref(), KeyPurpose::LogSigning, now).await?;
        let signing = SigningKey::from_bytes(signing.bytes());
        Ok(Self { root: Arc::new(root), table, blind, signing })
    }

    /// Makes a key that is nowhere but in memory until `keep`. What was sealed under it is lost with it.
    pub fn unkept_key(&self, now: DateTime<Utc>) -> DataKey {
        DataKey::random(new_id(now))
    }

    /// Makes such a key durable.
    pub async fn keep(
        &self,
        key: &DataKey,
        purpose: KeyPurpose,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        self.table.add(&[wrapped_by_root(&self.root, key, purpose, now)?]).await
    }

    /// Makes new keys, durable before they are handed out; all in one write.
    pub async fn new_keys(
        &self,
        purpose: KeyPurpose,
        count: usize,
        now: DateTime<Utc>,
    ) -> Result<Vec<DataKey>, StorageError> {
        let keys: Vec<DataKey> = (0..count).map(|_| DataKey::random(new_id(now))).collect();
        let wrapped: Result<Vec<_>, _> =
            keys.iter().map(|key| wrapped_by_root(&self.root, key, purpose, now)).collect();
        self.table.add(&wrapped?).await?;
        Ok(keys)
    }

    /// Makes one new key.
    pub async fn new_key(&self, purpose: KeyPurpose, now: DateTime<Utc>) -> Result<DataKey, StorageError> {
        let mut keys = self.new_keys(purpose, 1, now).await?;
        keys.pop().ok_or_else(|| StorageError::corrupt("key store", "no key was made"))
    }

    /// The key with this id; `None` when it was destroyed, or the key that wraps it was.
    pub async fn key(&self, id: KeyId) -> Result<Option<DataKey>, StorageError> {
        Ok(self.keys(&[id]).await?.remove(&id))
    }

    /// The keys with these ids, asked for together; one that was destroyed, or whose wrapping key was, is left out.
    pub async fn keys(&self, ids: &[KeyId]) -> Result<HashMap<KeyId, DataKey>, StorageError> {
        let wanted: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
        let mut keys = HashMap::with_capacity(ids.len());
        let mut nested = Vec::new();
        for wrapped in self.table.wrappings_of(&wanted).await? {
            match self.opened_by_root(&wrapped)? {
                Some(key) => drop(keys.insert(key.id(), key)),
                None => nested.push(wrapped),
            }
        }
        nested.retain(|wrapped| !keys.contains_key(&KeyId::from_uuid(wrapped.id)));
        if nested.is_empty() {
            return Ok(keys);
        }
        // Keys nest exactly once: a case file's key wraps those of its scans, the root wraps the case file's.
        let mut outer_ids: Vec<Uuid> = nested.iter().map(|wrapped| wrapped.wrapped_by).collect();
        outer_ids.sort_unstable();
        outer_ids.dedup();
        let mut outer_keys = HashMap::with_capacity(outer_ids.len());
        for wrapped in self.table.wrappings_of(&outer_ids).await? {
            outer_keys.extend(self.opened_by_root(&wrapped)?.map(|key| (wrapped.id, key)));
        }
        for wrapped in nested {
            if let Some(outer) = outer_keys.get(&wrapped.wrapped_by) {
                let id = KeyId::from_uuid(wrapped.id);
                keys.insert(id, DataKey::unwrap(id, outer.bytes(), &wrapped.wrapped)?);
            }
        }
        Ok(keys)
    }

    /// The same for a list that is shown: where one of the keys is damaged, that one is left out as well.
    pub async fn readable_keys(&self, ids: &[KeyId]) -> Result<HashMap<KeyId, DataKey>, StorageError> {
        match self.keys(ids).await {
            Err(StorageError::Corrupt { .. }) => {}
            all => return all,
        }
        let mut keys = HashMap::with_capacity(ids.len());
        for id in ids {
            match self.key(*id).await {
                Ok(key) => keys.extend(key.map(|key| (*id, key))),
                Err(error @ StorageError::Corrupt { .. }) => {
                    tracing::warn!(error = %error, "a key is damaged");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(keys)
    }

    /// The key in a wrapping by the root; `None` for a wrapping by another key.
    fn opened_by_root(&self, wrapped: &WrappedKey) -> Result<Option<DataKey>, StorageError> {
        if wrapped.wrapped_by != self.root.id() {
            return Ok(None);
        }
        let id = KeyId::from_uuid(wrapped.id);
        DataKey::unwrap(id, &self.root.wrapping_key(), &wrapped.wrapped).map(Some)
    }

    /// The key with this id, for a caller to whom its absence is an error.
    pub async fn required_key(&self, id: KeyId) -> Result<DataKey, StorageError> {
        self.key(id).await?.ok_or_else(|| StorageError::corrupt("key store", format!("key {id} is gone")))
    }

    /// Wraps the key of a scan under that of the case file it was placed in. The wrapping by the root stays
    /// until `release_from_root`, so that the scan can be read whatever happens in between.
    pub async fn hand_over(
        &self,
        scan_key: &DataKey,
        case_key: &DataKey,
        now: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let wrapped = WrappedKey {
            id: scan_key.id().uuid(),
            wrapped_by: case_key.id().uuid(),
            wrapped: scan_key.wrap(case_key.bytes())?,
            purpose: KeyPurpose::Scan.as_str().to_owned(),
            made_at: now,
        };
        self.table.add(&[wrapped]).await
    }

    /// Removes the root's wrapping of a scan's key; from then on it lives and dies with its case file.
    pub async fn release_from_root(&self, scan_key: KeyId) -> Result<(), StorageError> {
        self.table.remove(scan_key, self.root.id()).await
    }

    /// Keys that were wrapped between `since` and `until` and are wrapped more than once, each with all that wraps it:
    /// hand-overs that were interrupted, and those of scans that found no place. The caller knows where the scans are.
    pub async fn wrapped_twice(
        &self,
        since: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<HashMap<KeyId, Vec<Wrapper>>, StorageError> {
        let mut found: HashMap<KeyId, Vec<Wrapper>> = HashMap::new();
        for (id, by) in self.table.wrapped_twice(since, until).await? {
            let is_root = by == self.root.id();
            let wrapper = if is_root { Wrapper::Root } else { Wrapper::CaseFile(KeyId::from_uuid(by)) };
            found.entry(KeyId::from_uuid(id)).or_default().push(wrapper);
        }
        Ok(found)
    }

    /// Removes a wrapping of a scan's key that is not where the scan is, unless somebody wrapped it anew at `before` or
    /// later: then a scan is on its way there.
    pub async fn release_older(
        &self,
        scan_key: KeyId,
        wrapper: Wrapper,
        before: DateTime<Utc>,
    ) -> Result<(), StorageError> {
        let wrapped_by = match wrapper {
            Wrapper::Root => self.root.id(),
            Wrapper::CaseFile(key) => key.uuid(),
        };
        self.table.remove_older(scan_key, wrapped_by, before).await
    }

    /// Wraps the key of a scan that is to leave its case file by the root again. The case file's wrapping stays
    /// until `release_from_case_file`, so that the scan can be read whatever happens in between.
    pub async fn return_to_root(&self, scan_key: &DataKey, now: DateTime<Utc>) -> Result<(), StorageError> {
        self.table.add(&[wrapped_by_root(&self.root, scan_key, KeyPurpose::Scan, now)?]).await
    }

    /// Removes the case file's wrapping of the key of a scan that has left it.
    pub async fn release_from_case_file(&self, scan_key: KeyId, case_key: KeyId) -> Result<(), StorageError> {
        self.table.remove(scan_key, case_key.uuid()).await
    }

    /// Destroys a key: nothing sealed with it can be read any more. Destroying twice is no error. Its id is kept, so
    /// that a copy of it in a backup does not come back.
    pub async fn destroy(&self, id: KeyId) -> Result<(), StorageError> {
        self.table.destroy(id.uuid()).await
    }

    /// Whether this key was destroyed, here or in the archive that this one was restored from.
    pub async fn was_destroyed(&self, id: KeyId) -> Result<bool, StorageError> {
        self.table.was_destroyed(id.uuid()).await
    }

    /// Names the root key, so that a copy can be told to belong to this archive.
    pub fn root_id(&self) -> Uuid {
        self.root.id()
    }

    /// Asks the store whether it answers.
    pub async fn probe(&self) -> Result<(), StorageError> {
        self.table.probe().await
    }

    /// How many wrappings the store holds. Looks at all of them.
    pub async fn count(&self) -> Result<i64, StorageError> {
        self.table.count().await
    }

    /// The secret under which the blind index hashes its tokens.
    pub fn blind_index_secret(&self) -> [u8; 32] {
        *self.blind.bytes()
    }

    /// The key for what a browser carries for us and hands back. Derived, so that every server of the archive opens what
    /// another one sealed, and nothing sealed with it is ever stored.
    pub fn carried_key(&self) -> DataKey {
        self.blind.derived("guidang 2026-11 carried by a browser")
    }

    /// Signs the head of an operation log; 64 bytes.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }

    /// The public half of the key that signs heads.
    pub fn verifying_key(&self) -> VerifyingKey {
        self.signing.verifying_key()
    }

    /// Whether `signature` over `message` was made by `sign`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.verifying_key().verify_strict(message, &signature).is_ok())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({:?})", self.root)
    }
}

/// The one key of a purpose, made where there is none. Of several that start at once the first decides: what is in the
/// store counts, never what was about to be put there.
async fn named_key(
    root: &RootKey,
    table: &dyn KeyTable,
    purpose: KeyPurpose,
    now: DateTime<Utc>,
) -> Result<DataKey, StorageError> {
    if let Some(found) = stored_key(root, table, purpose).await? {
        return Ok(found);
    }
    table.add_only(&wrapped_by_root(root, &DataKey::random(new_id(now)), purpose, now)?).await?;
    let made = stored_key(root, table, purpose).await?;
    made.ok_or_else(|| StorageError::corrupt("key store", "a key that was just made is gone"))
}

async fn stored_key(
    root: &RootKey,
    table: &dyn KeyTable,
    purpose: KeyPurpose,
) -> Result<Option<DataKey>, StorageError> {
    let stored = table.with_purpose(purpose.as_str()).await?;
    let Some(found) = stored.into_iter().min_by_key(|key| key.id) else { return Ok(None) };
    if found.wrapped_by != root.id() {
        let detail = "the key store belongs to another root key; restore the one it was made with";
        return Err(StorageError::Unsupported { what: "key store", detail: detail.to_owned() });
    }
    DataKey::unwrap(KeyId::from_uuid(found.id), &root.wrapping_key(), &found.wrapped).map(Some)
}

fn wrapped_by_root(
    root: &RootKey,
    key: &DataKey,
    purpose: KeyPurpose,
    now: DateTime<Utc>,
) -> Result<WrappedKey, StorageError> {
    Ok(WrappedKey {
        id: key.id().uuid(),
        wrapped_by: root.id(),
        wrapped: key.wrap(&root.wrapping_key())?,
        purpose: purpose.as_str().to_owned(),
        made_at: now,
    })
}
