//! Data keys and the sealing of columns: AES-256-GCM with a random nonce, bound to its place.

use domain::ids::KeyId;
use rand::RngCore;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::error::StorageError;

/// Where a sealed value stands; bound as associated data, so that a value moved elsewhere does not open.
#[derive(Debug, Clone, Copy)]
pub struct SealedPlace {
    /// Table and column, as in `entered_data.entered_sealed`.
    pub column: &'static str,
    /// Id of the row.
    pub row: uuid::Uuid,
}

impl SealedPlace {
    fn associated_data(self) -> Vec<u8> {
        let mut data = self.column.as_bytes().to_vec();
        data.push(0);
        data.extend_from_slice(self.row.as_bytes());
        data
    }
}

/// A key that encrypts the data of one case file or one scan.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct DataKey {
    #[zeroize(skip)]
    id: KeyId,
    bytes: [u8; 32],
}

const NONCE_BYTES: usize = 12;

impl DataKey {
    pub(crate) fn random(id: KeyId) -> Self {
        let mut bytes = [0_u8; 32];
        rand::rng().fill_bytes(&mut bytes);
        Self { id, bytes }
    }

    /// Another key that follows from this one and says nothing about it. `context` names what it is for, once in the
    /// program.
    pub(crate) fn derived(&self, context: &str) -> Self {
        Self { id: self.id, bytes: blake3::derive_key(context, &self.bytes) }
    }

    /// Its id in the key store.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Encrypts `value` as JSON for `place`.
    pub fn seal<T: Serialize>(&self, place: SealedPlace, value: &T) -> Result<Vec<u8>, StorageError> {
        let json = serde_json::to_vec(value)
            .map_err(|error| StorageError::Internal { what: "sealing", source: Box::new(error) })?;
        encrypt(&self.bytes, &place.associated_data(), &json)
    }

    /// Encrypts bytes as they are for `place`.
    pub fn seal_bytes(&self, place: SealedPlace, bytes: &[u8]) -> Result<Vec<u8>, StorageError> {
        encrypt(&self.bytes, &place.associated_data(), bytes)
    }

    /// Decrypts what `seal_bytes` made for the same place.
    pub fn open_bytes(&self, place: SealedPlace, sealed: &[u8]) -> Result<Vec<u8>, StorageError> {
        let corrupt = || StorageError::corrupt(place.column, format!("row {}", place.row));
        decrypt(&self.bytes, &place.associated_data(), sealed).ok_or_else(corrupt)
    }

    /// Decrypts what `seal` made for the same place.
    pub fn open<T: DeserializeOwned>(&self, place: SealedPlace, sealed: &[u8]) -> Result<T, StorageError> {
        let corrupt = || StorageError::corrupt(place.column, format!("row {}", place.row));
        let json = decrypt(&self.bytes, &place.associated_data(), sealed).ok_or_else(corrupt)?;
        serde_json::from_slice(&json).map_err(|_| corrupt())
    }

    /// A digest of a text that says nothing without this key, and nothing any more once the key is destroyed.
    pub fn fingerprint(&self, text: &str) -> String {
        let key = blake3::derive_key("guidang 2026-11-22 digest of a sealed reason", &self.bytes);
        format!("sealed:{}", blake3::keyed_hash(&key, text.as_bytes()).to_hex())
    }

    /// Encrypts this key under `wrapping`.
    pub(crate) fn wrap(&self, wrapping: &[u8; 32]) -> Result<Vec<u8>, StorageError> {
        encrypt(wrapping, self.id.uuid().as_bytes(), &self.bytes)
    }

    /// Takes a wrapped key out again.
    pub(crate) fn unwrap(id: KeyId, wrapping: &[u8; 32], wrapped: &[u8]) -> Result<Self, StorageError> {
        let bytes = decrypt(wrapping, id.uuid().as_bytes(), wrapped)
            .and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        bytes
            .map(|bytes| Self { id, bytes })
            .ok_or_else(|| StorageError::corrupt("key store", id.to_string()))
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKey({}, ***)", self.id)
    }
}

fn encrypt(key: &[u8; 32], associated: &[u8], plain: &[u8]) -> Result<Vec<u8>, StorageError> {
    let mut nonce = [0_u8; NONCE_BYTES];
    rand::rng().fill_bytes(&mut nonce);
    let too_long = |_| StorageError::Internal { what: "sealing", source: "value too long".into() };
    let mut sealed = Vec::with_capacity(NONCE_BYTES + plain.len() + AES_256_GCM.tag_len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, value) = sealed.split_at_mut(NONCE_BYTES);
    let nonce = Nonce::assume_unique_for_key(nonce);
    let tag =
        cipher(key)?.seal_in_place_separate_tag(nonce, Aad::from(associated), value).map_err(too_long)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

fn decrypt(key: &[u8; 32], associated: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, cipher_text) = sealed.split_at_checked(NONCE_BYTES)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut value = cipher_text.to_vec();
    let length = cipher(key).ok()?.open_in_place(nonce, Aad::from(associated), &mut value).ok()?.len();
    value.truncate(length);
    Some(value)
}

/// AES-256-GCM (NIST SP 800-38D) under `key`.
pub(super) fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, StorageError> {
    let unusable = |_| StorageError::corrupt("key store", "a key has the wrong length");
    Ok(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(unusable)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(row: u128) -> SealedPlace {
        SealedPlace { column: "entered_data.entered_sealed", row: uuid::Uuid::from_u128(row) }
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_was_sealed() {
        let key = DataKey::random(KeyId::from_uuid(uuid::Uuid::from_u128(1)));

        let sealed = key.seal(place(7), &"张三").unwrap();

        assert_eq!(key.open::<String>(place(7), &sealed).unwrap(), "张三");
        assert!(key.open::<String>(place(8), &sealed).is_err());
    }

    #[test]
    fn a_fingerprint_is_that_of_one_text_under_one_key() {
        let key = |id| DataKey::random(KeyId::from_uuid(uuid::Uuid::from_u128(id)));
        let (one, two) = (key(1), key(2));

        assert_eq!(one.fingerprint("张三来电"), one.fingerprint("张三来电"));
        assert_ne!(one.fingerprint("张三来电"), one.fingerprint("张三来店"));
        assert_ne!(one.fingerprint("张三来电"), two.fingerprint("张三来电"));
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let key = DataKey::random(KeyId::from_uuid(uuid::Uuid::from_u128(1)));
        let mut sealed = key.seal(place(7), &"张三").unwrap();

        sealed[20] ^= 1;

        assert!(key.open::<String>(place(7), &sealed).is_err());
    }

    #[test]
    fn a_wrapped_key_opens_only_under_its_own_id() {
        let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let key = DataKey::random(KeyId::from_uuid(one));

        let wrapped = key.wrap(&[9; 32]).unwrap();

        assert!(DataKey::unwrap(KeyId::from_uuid(one), &[9; 32], &wrapped).is_ok());
        assert!(DataKey::unwrap(KeyId::from_uuid(two), &[9; 32], &wrapped).is_err());
    }
}
