//! What lies about in scanner folders and is no scan.

/// Whether a file or folder of this name is left alone: hidden, temporary, half copied, or made by a file manager.
pub fn is_litter(name: &str) -> bool {
    /// The folders are those of Windows, and of boxes that share folders.
    const NAMES: [&str; 13] = [
        "thumbs.db",
        "desktop.ini",
        "ehthumbs.db",
        "$recycle.bin",
        "recycler",
        "system volume information",
        "lost+found",
        "__macosx",
        "@eadir",
        "@tmp",
        "@recycle",
        "#recycle",
        "#snapshot",
    ];
    const ENDINGS: [&str; 8] =
        [".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".lock"];
    let lower = name.to_lowercase();
    name.starts_with('.')
        || name.starts_with("~$")
        || name.ends_with('~')
        || NAMES.contains(&lower.as_str())
        || ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn litter_is_left_alone_and_scans_are_not() {
        for name in [
            ".DS_Store",
            "~$slip.pdf",
            "Thumbs.db",
            "THUMBS.DB",
            "desktop.ini",
            "a.jpg.part",
            "b.TMP",
            "c.pdf~",
            "System Volume Information",
            "$RECYCLE.BIN",
            "@eaDir",
            "#recycle",
            "lost+found",
        ] {
            assert!(is_litter(name), "{name}");
        }
        for name in ["scan-001.jpg", "业务确认单.pdf", "no ending", "part.tif", "tmp.jpg"] {
            assert!(!is_litter(name), "{name}");
        }
    }
}
