//! A Merkle tree over log entries in the form of RFC 6962: appended to, never changed, provable.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// A SHA-256 digest of a leaf, a node or a tree.
pub type Hash = [u8; 32];

/// Hashes an entry as a leaf; leaves and nodes are hashed differently, so that neither can stand for the other.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The root of the empty tree.
fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// As much of a tree as is needed to append to it and to know its root: one digest for each bit of its size.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MerkleFrontier {
    size: u64,
    /// Roots of the perfect subtrees, the largest and oldest first.
    peaks: Vec<Hash>,
}

impl MerkleFrontier {
    /// Takes over what was stored; `None` if the number of digests does not fit the size.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut carried = leaf;
        // Every trailing 1 of the size is a subtree that the new leaf completes to one twice as large.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                carried = node_hash(&left, &carried);
            }
        }
        self.peaks.push(carried);
        self.size += 1;
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => empty_root(),
            Some(last) => peaks.fold(*last, |right, left| node_hash(left, &right)),
        }
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The digests to store, the largest subtree first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }
}

impl FromIterator<Hash> for MerkleFrontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaves: I) -> Self {
        let mut frontier = Self::default();
        for leaf in leaves {
            frontier.push(leaf);
        }
        frontier
    }
}

/// The root over some leaves.
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [only] => *only,
        _ => {
            let (left, right) = leaves.split_at(split_point(leaves.len()));
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The largest power of two that is smaller than `count`, which is at least 2.
const fn split_point(count: usize) -> usize {
    1 << (usize::BITS - 1 - (count - 1).leading_zeros())
}

/// Proves that the leaf at `index` is in the tree; `None` if there is no such leaf.
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut rest, mut index) = (leaves, index);
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split_point(rest.len()));
        if index < left.len() {
            proof.push(root_of(right));
            rest = left;
        } else {
            proof.push(root_of(left));
            index -= left.len();
            rest = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Checks that `leaf` stands at `index` of the tree of `size` leaves with this root.
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Proves that the tree of the first `old_size` leaves is the beginning of the tree of all; `None` if it is longer.
pub fn consistency_proof(leaves: &[Hash], old_size: usize) -> Option<Vec<Hash>> {
    if old_size > leaves.len() {
        return None;
    }
    if old_size == 0 || old_size == leaves.len() {
        return Some(Vec::new());
    }
    let mut proof = Vec::new();
    let (mut rest, mut old) = (leaves, old_size);
    let mut is_whole = true;
    while old != rest.len() {
        let (left, right) = rest.split_at(split_point(rest.len()));
        if old <= left.len() {
            proof.push(root_of(right));
            rest = left;
        } else {
            proof.push(root_of(left));
            old -= left.len();
            rest = right;
            is_whole = false;
        }
    }
    if !is_whole {
        proof.push(root_of(rest));
    }
    proof.reverse();
    Some(proof)
}

/// A tree as it was announced: how many leaves, and their root.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeHead {
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Checks that the tree of `new` begins with the tree of `old`: nothing was edited, moved or cut off.
pub fn verify_consistency(old: &TreeHead, new: &TreeHead, proof: &[Hash]) -> bool {
    if old.size == 0 {
        return proof.is_empty() && old.root == empty_root();
    }
    if old.size == new.size {
        return proof.is_empty() && old.root == new.root;
    }
    if old.size > new.size {
        return false;
    }
    // A whole old tree is its own first digest and is left out of the proof.
    let (first, rest) = match (old.size.is_power_of_two(), proof.split_first()) {
        (true, _) => (old.root, proof),
        (false, Some((first, rest))) => (*first, rest),
        (false, None) => return false,
    };
    rebuild(old, new, first, rest)
}

/// Climbs from the border of the old tree to both roots at once.
fn rebuild(old: &TreeHead, new: &TreeHead, first: Hash, rest: &[Hash]) -> bool {
    let (mut node, mut last) = (old.size - 1, new.size - 1);
    while node % 2 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node % 2 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node % 2 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old.root && new_hash == new.root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
    }

    fn head(leaves: &[Hash]) -> TreeHead {
        TreeHead { size: leaves.len() as u64, root: root_of(leaves) }
    }

    fn hex(hash: Hash) -> String {
        crate::verdict::CaseDigest(hash).to_string()
    }

    #[test]
    fn known_trees_have_their_known_roots() {
        assert_eq!(hex(root_of(&[])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(hex(leaf_hash(&[])), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
    }

    #[test]
    fn the_frontier_and_the_whole_tree_have_the_same_root() {
        for count in 0..70 {
            let leaves = leaves(count);
            let frontier: MerkleFrontier = leaves.iter().copied().collect();

            assert_eq!(frontier.root(), root_of(&leaves), "{count}");
            assert_eq!(frontier.size(), count as u64);
            assert_eq!(
                MerkleFrontier::from_parts(frontier.size(), frontier.peaks().to_vec()),
                Some(frontier)
            );
        }
        assert_eq!(MerkleFrontier::from_parts(3, vec![[0; 32]]), None);
    }

    #[test]
    fn every_leaf_can_be_proved_and_no_other() {
        for count in 1..40 {
            let leaves = leaves(count);
            let root = root_of(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let proof = inclusion_proof(&leaves, index).unwrap();
                let size = count as u64;

                assert!(verify_inclusion(leaf, index as u64, size, &proof, &root), "{index} of {count}");
                assert!(!verify_inclusion(&leaf_hash(b"other"), index as u64, size, &proof, &root));
                assert!(!verify_inclusion(leaf, index as u64 + 1, size, &proof, &root) || count == 1);
                assert!(!verify_inclusion(leaf, size, size, &proof, &root));
            }
        }
    }

    #[test]
    fn every_older_tree_is_the_beginning_of_the_newer_one() {
        for count in 1..40 {
            let leaves = leaves(count);
            for old in 1..=count {
                let proof = consistency_proof(&leaves, old).unwrap();

                assert!(
                    verify_consistency(&head(&leaves[..old]), &head(&leaves), &proof),
                    "{old} of {count}"
                );
            }
            assert_eq!(consistency_proof(&leaves, count + 1), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn an_edited_swapped_or_cut_off_log_is_not_consistent(
            count in 3_usize..60, old in 2_usize..60, at in 0_usize..60, what in 0_u8..3,
        ) {
            let old = old.min(count - 1);
            let at = at % (old - 1);
            let honest = leaves(count);
            let mut altered = honest.clone();
            match what {
                0 => altered[at] = leaf_hash(b"edited"),
                1 => altered.swap(at, at + 1),
                _ => { altered.remove(at); }
            }
            let proof = consistency_proof(&altered, old.min(altered.len())).unwrap();

            proptest::prop_assert!(!verify_consistency(&head(&honest[..old]), &head(&altered), &proof));
            let cut = head(&honest[..old - 1]);
            proptest::prop_assert!(!verify_consistency(&head(&honest[..old]), &cut, &[]));
        }
    }
}
