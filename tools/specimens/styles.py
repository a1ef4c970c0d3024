"""What tells the splits apart: fonts, layouts, hands, backgrounds. No item stands in two splits, but for OCR-B.

OCR-B is the one exception: cards of every split may use it for the number, as real ones do.
"""
import functools
import os
import pathlib

from fontTools.ttLib import TTFont
from PIL import ImageFont

SPLITS = ("train", "tune", "test", "eval")
# Drawn with what the other splits do not have: filled in by hand, copied twice, sheets lying any way, coarse, on foreign papers.
HARDER = ("eval",)
ROOT = pathlib.Path(os.environ.get("SPECIMEN_FONTS", "/usr/share/fonts"))
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "guidang-specimens"

FILES = {
    "noto-sans": ("opentype/noto/NotoSansCJK-Regular.ttc", 2), "noto-sans-light": ("opentype/noto/NotoSansCJK-Light.ttc", 2),
    "noto-sans-medium": ("opentype/noto/NotoSansCJK-Medium.ttc", 2), "noto-sans-demilight": ("opentype/noto/NotoSansCJK-DemiLight.ttc", 2),
    "noto-sans-bold": ("opentype/noto/NotoSansCJK-Bold.ttc", 2), "noto-serif": ("opentype/noto/NotoSerifCJK-Regular.ttc", 2),
    "noto-serif-semi": ("opentype/noto/NotoSerifCJK-SemiBold.ttc", 2), "noto-serif-bold": ("opentype/noto/NotoSerifCJK-Bold.ttc", 2),
    "uming": ("truetype/arphic/uming.ttc", 0), "ukai": ("truetype/arphic/ukai.ttc", 0),
    "gbsn": ("truetype/arphic-gbsn00lp/gbsn00lp.ttf", 0), "gkai": ("truetype/arphic-gkai00mp/gkai00mp.ttf", 0),
    "zenhei": ("truetype/wqy/wqy-zenhei.ttc", 0), "microhei": ("truetype/wqy/wqy-microhei.ttc", 0),
    "droid": ("truetype/droid/DroidSansFallbackFull.ttf", 0), "twkai": ("truetype/cns11643/TW-Kai-98_1.ttf", 0),
    "wenkai": ("truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf", 0), "wenkai-mono": ("truetype/lxgw-wenkai/LXGWWenKaiMono-Regular.ttf", 0),
    "noto-serif-light": ("opentype/noto/NotoSerifCJK-Light.ttc", 2), "noto-serif-medium": ("opentype/noto/NotoSerifCJK-Medium.ttc", 2),
    "noto-mono": ("opentype/noto/NotoSansCJK-Regular.ttc", 7), "noto-serif-black": ("opentype/noto/NotoSerifCJK-Black.ttc", 2),
    "wenkai-light": ("truetype/lxgw-wenkai/LXGWWenKai-Light.ttf", 0), "wenkai-bold": ("truetype/lxgw-wenkai/LXGWWenKai-Bold.ttf", 0),
    "dejavu-mono": ("truetype/dejavu/DejaVuSansMono.ttf", 0),
    "smiley": ("truetype/smiley-sans/SmileySans-Oblique.ttf", 0),
    "ocrb": ("opentype/ocr-b/OCRB.otf", 0), "ocrb-sharp": ("opentype/ocr-b/OCRBS.otf", 0),
    "naskh": ("truetype/noto/NotoNaskhArabic-Regular.ttf", 0), "tibetan": ("truetype/noto/NotoSerifTibetan-Regular.ttf", 0),
    "liberation": ("truetype/liberation2/LiberationSans-Regular.ttf", 0), "courier": ("opentype/courier-prime/Courier Prime Bold.otf", 0),
}
WEB_FONTS = {name: name for name in ("long-cang", "zhi-mang-xing", "liu-jian-mao-cao", "ma-shan-zheng", "zcool-xiaowei", "zcool-kuaile")}
FALLBACKS = ("noto-sans", "ukai", "wenkai")
OWN_FALLBACK = {"droid": "noto-sans-light", "long-cang": "wenkai", "ma-shan-zheng": "twkai", "zhi-mang-xing": "twkai", "liu-jian-mao-cao": "twkai"}

PRINT_FONTS = {
    "train": ["uming", "zenhei", "noto-sans", "wenkai"],
    "tune": ["gbsn", "microhei", "noto-serif", "noto-sans-demilight"],
    "test": ["gkai", "droid", "noto-serif-semi", "noto-sans-light", "zcool-xiaowei"],
    "eval": ["noto-serif-light", "noto-serif-medium", "noto-mono", "wenkai-light"]}
TITLE_FONTS = {"train": ["noto-sans-bold", "ukai"], "tune": ["noto-serif-bold", "zenhei"], "test": ["smiley", "noto-sans-medium", "twkai"],
               "eval": ["noto-serif-black", "wenkai-bold"]}
CARD_FONTS = {"train": ["zenhei", "noto-sans"], "tune": ["microhei", "noto-sans-demilight"], "test": ["droid", "noto-sans-medium"],
              "eval": ["noto-mono", "noto-serif-medium"]}
NUMBER_FONTS = {"train": ["ocrb", "liberation"], "tune": ["ocrb-sharp", "zenhei"], "test": ["ocrb", "courier", "noto-sans-light"],
                "eval": ["ocrb", "dejavu-mono", "noto-mono"]}
HAND_FONTS = {"train": ["long-cang"], "tune": ["ma-shan-zheng"], "test": ["zhi-mang-xing", "liu-jian-mao-cao"],
              "eval": ["zcool-kuaile"]}
STAMP_FONTS = {"train": ["noto-serif", "zenhei"], "tune": ["gbsn", "noto-sans-bold"], "test": ["twkai", "noto-sans-medium", "droid"],
               "eval": ["noto-serif-medium", "wenkai-bold"]}
BACKGROUNDS = {"train": ["wood", "cloth"], "tune": ["marble", "desk"], "test": ["tiles", "carpet", "papers"],
               "eval": ["felt", "granite"]}

# (columns, rules, label place, digits, medium)
LAYOUTS = {
    "train": [(2, "full", "beside", "plain", "laser"), (2, "none", "beside", "plain", "laser"), (2, "full", "above", "plain", "laser"),
              (1, "full", "beside", "boxed", "laser"), (1, "none", "beside", "plain", "thermal"), (2, "full", "beside", "plain", "dots")],
    "tune": [(2, "horizontal", "beside", "plain", "laser"), (1, "none", "beside", "plain", "laser"), (3, "full", "beside", "plain", "laser"),
             (2, "section", "beside", "plain", "laser"), (1, "dashed", "above", "plain", "thermal"), (2, "none", "beside", "plain", "dots")],
    "test": [(1, "underline", "beside", "plain", "laser"), (3, "none", "above", "plain", "laser"), (2, "section", "beside", "boxed", "laser"),
             (2, "horizontal", "above", "plain", "laser"), (3, "horizontal", "beside", "plain", "dots"), (1, "dashed", "beside", "plain", "thermal"),
             (2, "double", "beside", "plain", "laser")],
    "eval": [(2, "double", "above", "plain", "laser"), (3, "full", "above", "plain", "laser"), (1, "dashed", "beside", "plain", "laser"),
             (2, "underline", "beside", "boxed", "laser"), (1, "underline", "beside", "plain", "written"), (2, "full", "beside", "plain", "written"),
             (2, "dashed", "beside", "plain", "laser"), (1, "full", "above", "plain", "thermal")]}


def web_font(name):
    """Path of a TrueType copy of a font that npm delivers as WOFF2; made once, kept in the cache."""
    target = CACHE / f"{name}.ttf"
    if not target.exists():
        modules = pathlib.Path(os.environ.get("SPECIMEN_NPM", "node_modules"))
        source = modules / "@fontsource" / name / "files" / f"{name}-chinese-simplified-400-normal.woff2"
        if not source.exists():
            raise SystemExit(f"font {name} is missing: run npm install in the specimens folder, or set SPECIMEN_NPM")
        target.parent.mkdir(parents=True, exist_ok=True)
        font = TTFont(source)
        font.flavor = None
        font.save(target)
    return target


def locate(name):
    """Path and face index of a font by its short name."""
    if name in WEB_FONTS:
        return web_font(name), 0
    path, index = FILES[name]
    if not (ROOT / path).exists():
        raise SystemExit(f"font file {path} is missing: see README for the Debian packages")
    return ROOT / path, index


@functools.cache
def coverage(name):
    """The code points a font can draw."""
    path, index = locate(name)
    with TTFont(path, fontNumber=index, lazy=True) as font:
        return frozenset(font.getBestCmap())


@functools.lru_cache(maxsize=400)
def load(name, pixels):
    """A font at a size in pixels."""
    path, index = locate(name)
    return ImageFont.truetype(str(path), max(4, pixels), index=index)


@functools.lru_cache(maxsize=40000)
def advance(name, pixels, char):
    """How far one character moves the pen."""
    return load(covering(name, char), pixels).getlength(char)


@functools.lru_cache(maxsize=40000)
def covering(name, char):
    """The font itself, or the first fallback that can draw `char`."""
    if ord(char) in coverage(name):
        return name
    return next((other for other in (OWN_FALLBACK.get(name, name), *FALLBACKS) if ord(char) in coverage(other)), name)
