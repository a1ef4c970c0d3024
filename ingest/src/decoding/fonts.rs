//! Chinese fonts for PDF pages that name a font without bringing it.

use std::{
    fs::File,
    io::Read,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use hayro::hayro_interpret::font::{FontData, FontQuery};

/// Where distributions put fonts with Chinese glyphs, sans first, and which face of a collection is the simplified
/// Chinese one.
const SANS: [(&str, u32); 6] = [
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc", 0),
    ("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf", 0),
];

const SERIF: [(&str, u32); 4] = [
    ("/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc", 2),
    ("/usr/share/fonts/noto-cjk/NotoSerifCJK-Regular.ttc", 2),
    ("/usr/share/fonts/google-noto-serif-cjk-fonts/NotoSerifCJK-Regular.ttc", 2),
    ("/usr/share/fonts/truetype/arphic/uming.ttc", 0),
];

/// Largest font file that is read.
const MAX_FONT_BYTES: u64 = 64 << 20;

/// Font files that were opened before the file system was given up.
pub struct Fonts {
    sans: Option<LazyFont>,
    serif: Option<LazyFont>,
}

struct LazyFont {
    file: File,
    face: u32,
    data: Mutex<Option<FontData>>,
}

impl Fonts {
    /// Opens what the system has; a machine without Chinese fonts renders such pages without their text.
    pub fn of_the_system() -> Self {
        Self { sans: first_of(&SANS), serif: first_of(&SERIF) }
    }

    /// The font for a query; Latin standard fonts come with the renderer.
    pub fn resolve(&self, query: &FontQuery) -> Option<(FontData, u32)> {
        match query {
            FontQuery::Standard(font) => Some(font.get_font_data()),
            FontQuery::Fallback(wanted) => {
                let [first, second] =
                    if wanted.is_serif { [&self.serif, &self.sans] } else { [&self.sans, &self.serif] };
                let chinese = || first.as_ref().or(second.as_ref())?.read();
                let is_chinese = wanted.character_collection.is_some();
                let chosen = if is_chinese { chinese() } else { None };
                chosen.or_else(|| Some(wanted.pick_standard_font().get_font_data()))
            }
        }
    }
}

fn first_of(places: &[(&str, u32)]) -> Option<LazyFont> {
    places.iter().find_map(|(path, face)| {
        let file = File::open(Path::new(path)).ok()?;
        Some(LazyFont { file, face: *face, data: Mutex::new(None) })
    })
}

impl LazyFont {
    fn read(&self) -> Option<(FontData, u32)> {
        let mut data = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        if data.is_none() {
            let mut bytes = Vec::new();
            // Through `take`, because reading a whole file would first ask the kernel for its size, which is
            // among the calls that were given up.
            (&self.file).take(MAX_FONT_BYTES).read_to_end(&mut bytes).ok()?;
            let shared: FontData = Arc::new(bytes);
            *data = Some(shared);
        }
        data.clone().map(|data| (data, self.face))
    }
}
