"""Signatures and handwritten words: crops of real hands where the name was written, else a written-looking font, shaken."""
import csv
import pathlib

import cv2
import numpy as np
from PIL import Image, ImageDraw

import ink
import styles

INKS = [(25, 25, 30), (30, 35, 110), (20, 30, 70), (60, 60, 65)]


class RealHands:
    """Crops of prescribed names by volunteers, split by writer."""

    def __init__(self, folder, split):
        self.folder, self.crops = pathlib.Path(folder) if folder else None, {}
        if self.folder is None:
            return
        # A fourth split takes the writers of the first.
        turn = styles.SPLITS.index(split) % 3
        with open(self.folder / "index.csv", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                if (int(row["writer"]) // 2) % 3 == turn:
                    self.crops.setdefault((row["name"], row["writer"]), []).append(row["file"])

    def names(self):
        """Names that some hand of this split wrote."""
        return sorted({name for name, _ in self.crops})

    def writers(self, name):
        """Writers of this split who wrote the name."""
        return sorted(writer for known, writer in self.crops if known == name)

    def crop(self, name, writer, rng):
        """Ink mask of one writing of the name."""
        path = self.folder / rng.choice(self.crops[name, writer])
        dark = 255 - np.asarray(Image.open(path).convert("L")).astype(np.float32)
        dark = np.clip((dark - 40) * 255 / 170, 0, 255).astype(np.uint8)
        return trim(dark)


def trim(mask):
    """Cuts the empty margin off a mask."""
    ys, xs = np.nonzero(mask > 30)
    return mask[ys.min():ys.max() + 1, xs.min():xs.max() + 1] if len(ys) else mask


def shaken(mask, rng, amount):
    """Bends a mask by a smooth random field, as a hand does not write the same twice."""
    pad = 12
    mask = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    height, width = mask.shape
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    cell = max(8, height // 3)
    xs += ink.clouds(rng, height, width, cell, -amount, amount)
    ys += ink.clouds(rng, height, width, cell, -amount, amount)
    return cv2.remap(mask, xs, ys, cv2.INTER_LINEAR)


def written(text, font, rng, pixels=76):
    """A word in a written-looking font: every character is turned, scaled and moved a little."""
    canvas = Image.new("L", (int(pixels * (len(text) + 1.5)), int(pixels * 2)), 0)
    x = pixels * 0.3
    for char in text:
        size = int(pixels * rng.uniform(0.82, 1.1)) if ord(char) > 127 else int(pixels * rng.uniform(0.7, 0.8))
        face = styles.load(styles.covering(font, char), size)
        glyph = Image.new("L", (size * 2, size * 2), 0)
        ImageDraw.Draw(glyph).text((size, size), char, font=face, fill=255, anchor="mm")
        glyph = glyph.rotate(rng.uniform(-7, 7), resample=Image.BILINEAR)
        canvas.paste(255, (int(x - size + face.getlength(char) / 2), int(pixels - size + rng.uniform(-8, 8))), glyph)
        x += face.getlength(char) * rng.uniform(0.82, 1.0)
    return trim(shaken(np.asarray(canvas), rng, 3.0))


def pen_pressure(mask, rng):
    """Uneven flow: lighter places along the strokes."""
    return np.clip(mask * ink.clouds(rng, *mask.shape, 40, 0.65, 1.1), 0, 255).astype(np.uint8)


def scaled(mask, height_px, width_px):
    """The mask made to fit a field."""
    ratio = min(height_px / mask.shape[0], width_px / mask.shape[1])
    size = max(2, round(mask.shape[1] * ratio)), max(2, round(mask.shape[0] * ratio))
    return cv2.resize(mask, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)


def visible(mask, least_px):
    """The mask with strokes at least this thick and at least one dark place: a pen leaves a mark that a person sees."""
    mask = np.clip(mask * (235 / max(60, np.percentile(mask[mask > 20], 90))), 0, 255).astype(np.uint8)
    reach = cv2.distanceTransform((mask > 90).astype(np.uint8), cv2.DIST_L2, 3)
    thick = 2 * np.percentile(reach[reach > 0], 90) if (reach > 0).any() else 0
    grow = int(round(least_px - thick))
    return cv2.dilate(mask, np.ones((grow + 1, grow + 1), np.uint8)) if grow > 0 else mask


class Hand:
    """How one person writes: a volunteer of the split, or a font with a slant and a height."""

    def __init__(self, rng, real, split, name):
        writers = real.writers(name) if real.crops else []
        self.real, self.writer = real, rng.choice(writers) if writers else None
        self.font = rng.choice(styles.HAND_FONTS[split])
        self.slant, self.height, self.ink = rng.uniform(-5, 5), rng.uniform(9, 15), rng.choice(INKS)

    def sign(self, name, rng):
        """Ink mask of the name in this hand."""
        if self.writer and (name, self.writer) in self.real.crops:
            mask = shaken(self.real.crop(name, self.writer, rng), rng, 1.6)
        else:
            mask = written(name, self.font, rng)
        return trim(ink.rotated(pen_pressure(mask, rng), self.slant + rng.uniform(-2, 2)))
