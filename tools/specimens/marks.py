"""Marks on paper: the copy stamp, round seals, barcodes."""
import math

import barcode
import cv2
import numpy as np
import qrcode
from barcode.writer import ImageWriter
from PIL import Image, ImageDraw

import hands
import ink
import styles

COPY_STAMP = "有效证件一次使用复印无效"
STAMP_INKS = {"red": (205, 30, 45), "crimson": (170, 25, 60), "vermilion": (225, 70, 50), "grey": (80, 80, 80), "violet": (95, 50, 130)}


def worn(mask, rng, low=0.35):
    """Patchy ink: clouds of paler and missing places, but never so much that a person cannot read it."""
    field = ink.clouds(rng, *mask.shape, 24, low, 1.25)
    return np.clip(mask * np.clip(field, 0, 1), 0, 255).astype(np.uint8)


def copy_stamp(rng, split, look):
    """Mask of the copy stamp in one of its looks, about 28 pixels to a character."""
    if look == "hand":
        return hands.written(COPY_STAMP, styles.HAND_FONTS[split][0], rng, 60)
    font, size = rng.choice(styles.STAMP_FONTS[split]), 48
    lines = [COPY_STAMP] if look in ("line", "boxed") else [COPY_STAMP[:8], COPY_STAMP[8:]]
    spacing = rng.choice([0, 3, 8])
    width = int(max(ink.text_width(line, font, size, spacing) for line in lines)) + 60
    image = Image.new("L", (width, 40 + int(size * 1.35) * len(lines)), 0)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        left = (width - ink.text_width(line, font, size, spacing)) / 2
        ink.draw_text(draw, (left, 20 + size * (0.95 + 1.3 * row)), line, font, size, 255, spacing)
    if look in ("boxed", "two-boxed"):
        draw.rectangle([4, 4, width - 5, image.height - 5], outline=255, width=rng.choice([3, 5]))
        if rng.random() < 0.3:
            draw.rectangle([12, 12, width - 13, image.height - 13], outline=255, width=2)
    return worn(np.asarray(image), rng)


def seal(rng, company, caption, font, oval=False):
    """A round or oval company seal: its name around a star, the caption below."""
    size = 420
    image = Image.new("L", (size, size), 0)
    draw = ImageDraw.Draw(image)
    draw.ellipse([6, 6, size - 7, size - 7], outline=255, width=9)
    centre, radius = size / 2, size / 2 - 48
    sweep = min(250, 17 * len(company))
    for index, char in enumerate(company):
        angle = math.radians(-90 - sweep / 2 + sweep * index / max(1, len(company) - 1))
        glyph = Image.new("L", (60, 60), 0)
        ImageDraw.Draw(glyph).text((30, 30), char, font=styles.load(styles.covering(font, char), 42), fill=255, anchor="mm")
        glyph = glyph.rotate(-math.degrees(angle) - 90, resample=Image.BILINEAR)
        image.paste(255, (int(centre + radius * math.cos(angle)) - 30, int(centre + radius * math.sin(angle)) - 30), glyph)
    points = [(centre + (58 if k % 2 == 0 else 23) * math.sin(math.pi * k / 5), centre - (58 if k % 2 == 0 else 23) * math.cos(math.pi * k / 5)) for k in range(10)]
    if not oval:
        draw.polygon(points, fill=255)
    draw.text((centre, size * (0.5 if oval else 0.76)), caption, font=styles.load(font, 40), fill=255, anchor="mm")
    mask = np.asarray(image)
    mask = cv2.resize(mask, (size, int(size * 0.68))) if oval else mask
    return worn(ink.rotated(mask, rng.uniform(-25, 25)), rng, 0.45)


def code128(text, module_mm, height_mm, dpi):
    """A Code 128 barcode as an image, without its text."""
    code = barcode.get("code128", text, writer=ImageWriter())
    options = {"write_text": False, "module_width": module_mm, "module_height": height_mm, "quiet_zone": 2, "dpi": dpi}
    return code.render(options).convert("RGB")


def qr(text, pixels):
    """A QR code as an image of about this many pixels."""
    code = qrcode.QRCode(border=2, box_size=max(2, pixels // 29), error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    return code.make_image().convert("RGB")
