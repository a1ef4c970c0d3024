"""What happens to paper on the way to a file: flatbed, copier, fax, folds, holes, stains."""
import cv2
import numpy as np
from PIL import Image, ImageDraw

import ink
import styles


def turned(image, degrees, fill=255):
    """Slightly skewed on the glass."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (width, height), borderValue=(fill,) * 3)


def flatbed(image, rng, conditions):
    """A desk scanner: skew, lamp, a little noise and softness."""
    image = turned(image, rng.choice([rng.uniform(-0.8, 0.8), rng.uniform(-3.2, 3.2)]), rng.choice([255, 250, 30]))
    if rng.random() < 0.25:
        image = fold(image, rng)
        conditions.append("fold")
    if rng.random() < 0.15 and image.shape[1] > image.shape[0] * 0.6:
        image = holes(image, rng)
        conditions.append("punch_holes")
    if rng.random() < 0.12:
        image = coffee(image, rng)
        conditions.append("coffee")
    if rng.random() < 0.12:
        image = bleed(image, rng)
        conditions.append("bleed_through")
    if rng.random() < 0.3:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
        conditions.append("grey")
    return finish(image, rng, rng.uniform(0, 0.9), rng.uniform(1, 4), rng.uniform(0.92, 1.04))


def finish(image, rng, blur, noise, gain):
    """Softness, grain and exposure."""
    if blur > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    return ink.grainy(rng, image, noise, gain)


def photocopy(image, rng, conditions, worn, colour=False):
    """A copier: hard contrast, specks, streaks, and where worn, eaten or swollen strokes."""
    grey = image if colour else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    grey = turned(np.ascontiguousarray(grey), rng.uniform(-2.5, 2.5)).reshape(grey.shape)
    low, high = (rng.uniform(30, 70), rng.uniform(195, 225)) if not worn else (rng.uniform(50, 90), rng.uniform(175, 215))
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(0.4, 0.8)).reshape(grey.shape)
    out = np.clip((grey.astype(np.float32) - low) * 255 / (high - low), 0, 255)
    if worn:
        out = wear(out, rng, conditions)
    out = np.clip(out, rng.uniform(0, 25), 255).astype(np.uint8)
    out = out if out.shape[2] == 3 else np.repeat(out, 3, 2)
    conditions.append("colour_copy" if colour else "grey_copy")
    if rng.random() < 0.3:
        out = copier_edge(out, rng)
        conditions.append("black_edge")
    if rng.random() < 0.15 and out.shape[1] > out.shape[0] * 0.6:
        out = holes(out, rng)
        conditions.append("punch_holes")
    return finish(out, rng, rng.uniform(0, 0.6), rng.uniform(1, 3), 1.0)


def wear(out, rng, conditions):
    """Erosion or swelling of strokes, specks, streaks and pale bands."""
    height, width = out.shape[:2]
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    kind = rng.choice(["eroded", "swollen", "pale", "specks"])
    conditions.append(f"worn_{kind}")
    weight = rng.uniform(0.25, 0.6)
    if kind == "eroded":
        out = out * (1 - weight) + cv2.dilate(out, kernel).reshape(out.shape) * weight
    elif kind == "swollen":
        out = out * (1 - weight) + cv2.erode(out, kernel).reshape(out.shape) * weight
    elif kind == "pale":
        out = 255 - (255 - out) * ink.clouds(rng, height, width, 220, 0.3, 1.05)[..., None]
    dots = np.random.default_rng(rng.getrandbits(32))
    count = int(height * width * rng.uniform(1e-5, 1.2e-4))
    ys, xs = dots.integers(1, height - 1, count), dots.integers(1, width - 1, count)
    tone = dots.uniform(0, 170, count)[:, None]
    out[ys, xs] = tone
    out[ys[::3], xs[::3] - 1] = tone[::3]
    out[ys[::4] - 1, xs[::4]] = tone[::4]
    for _ in range(rng.choice([0, 0, 1, 2])):
        at, shade = rng.randint(5, width - 6), rng.uniform(60, 200)
        out[:, at:at + rng.randint(1, 2)] = np.minimum(out[:, at:at + rng.randint(1, 2)][:, :1], shade)
    if rng.random() < 0.35:
        at, band = rng.randint(0, width - 60), rng.randint(15, 60)
        out[:, at:at + band] = 255 - (255 - out[:, at:at + band]) * rng.uniform(0.55, 0.8)
    return out


def copier_edge(image, rng):
    """The dark edge where the lid was open."""
    size = rng.randint(8, 50)
    height, width = image.shape[:2]
    ragged = (ink.clouds(rng, height, 2, 60, 0.3, 1)[:, 0] * size).astype(int)
    columns = np.arange(width)[None, :]
    mask = columns < ragged[:, None] if rng.random() < 0.5 else columns > width - ragged[:, None]
    image[mask] = rng.randint(5, 60)
    return image


def fold(image, rng):
    """A crease with light on one side and shade on the other; letters on it pale."""
    height, width = image.shape[:2]
    out = image.astype(np.float32)
    for axis in rng.choice([[0], [1], [0, 1], [0, 0]]):
        size = height if axis == 0 else width
        at = rng.uniform(0.25, 0.75) * size
        distance = np.arange(size, dtype=np.float32) - at
        shade = 1 - 0.13 * np.exp(-np.abs(distance + 12) / 30) * (distance < 0) + 0.05 * np.exp(-np.maximum(distance, 0) / 22) * (distance >= 0)
        line = np.exp(-(distance / 1.6) ** 2) * rng.uniform(0.15, 0.5)
        shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
        out = out * shade.reshape(shape)
        out = out + (225 - out) * line.reshape(shape)
    return np.clip(out, 0, 255).astype(np.uint8)


def holes(image, rng):
    """Two or four holes of a binder at the left edge."""
    height, width = image.shape[:2]
    picture = Image.fromarray(image)
    draw = ImageDraw.Draw(picture)
    radius, x = width / 210 * 3, width / 210 * rng.uniform(7, 11)
    shade = rng.choice([(25, 25, 25), (245, 245, 245), (120, 120, 120)])
    for step in rng.choice([(0.36, 0.63), (0.14, 0.38, 0.62, 0.86)]):
        draw.ellipse([x - radius, height * step - radius, x + radius, height * step + radius], fill=shade)
    return np.array(picture)


def coffee(image, rng):
    """A ring left by a cup."""
    height, width = image.shape[:2]
    radius = width * rng.uniform(0.1, 0.2)
    x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    distance = np.hypot(xs - x, ys - y) - radius - ink.clouds(rng, height, width, 90, -6, 6)
    ring = np.exp(-(distance / (width * 0.006)) ** 2) * 0.45 + (distance < 0) * 0.08
    ring *= ink.clouds(rng, height, width, 70, 0.4, 1.1)
    return (image * (1 - ring[..., None] * np.array([0.35, 0.55, 0.8], np.float32))).astype(np.uint8)


def bleed(image, rng):
    """The other side shining through."""
    ghost = cv2.GaussianBlur(np.ascontiguousarray(image[:, ::-1]), (0, 0), 2.2)
    ghost = np.roll(ghost, (rng.randint(-200, 200), rng.randint(-60, 60)), (0, 1))
    return np.minimum(image, 255 - (255 - ghost) * np.float32(rng.uniform(0.07, 0.16))).astype(np.uint8)


def fax(image, rng, conditions):
    """A received fax: 1728 dots a line, black and white, a sender's line at the top; returns the picture and its dpi."""
    fine = rng.random() < 0.8
    dpi = (204, 196) if fine else (204, 98)
    conditions.append("fax_fine" if fine else "fax_standard")
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    rows = round(image.shape[0] / image.shape[1] * 215 / 25.4 * dpi[1])
    grey = turned(grey, rng.uniform(-1.2, 1.2))
    grey = cv2.resize(grey, (1728, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    grey += ink.grain(rng, rows, 1728, 8)
    bits = (grey > rng.uniform(135, 185)).astype(np.uint8) * 255
    for _ in range(rng.choice([0, 1, 3])):
        at = rng.randint(40, rows - 4)
        bits[at:at + 1] = bits[at - 1]
    flips = np.random.default_rng(rng.getrandbits(32))
    count = rows // 3
    bits[flips.integers(0, rows, count), flips.integers(0, 1728, count)] = 0
    picture = Image.fromarray(bits)
    draw = ImageDraw.Draw(picture)
    draw.rectangle([0, 0, 1728, 30 if fine else 16], fill=255)
    head = f"2026-10-{rng.randint(10, 28)} {rng.randint(9, 18)}:{rng.randint(10, 59)}   FROM 0{rng.randint(10, 99)}-{rng.randint(20000000, 89999999)}   P.0{rng.randint(1, 3)}/03"
    draw.text((60, 2), head, font=styles.load("ocrb", 24 if fine else 13), fill=0)
    return picture.convert("1"), dpi


def bilevel(image, rng, conditions, dpi):
    """An office scanner set to black and white."""
    grey = cv2.cvtColor(turned(image, rng.uniform(-1.5, 1.5)), cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey += ink.grain(rng, *grey.shape, 6)
    conditions.append("bilevel")
    return Image.fromarray((grey > rng.uniform(140, 190)).astype(np.uint8) * 255).convert("1"), (dpi, dpi)


def unreadable(image, rng, conditions):
    """A copy that nobody can read: tiny and soft, or washed out, or black."""
    kind = rng.choice(["smeared", "washed_out", "too_coarse"])
    conditions.append(kind)
    height, width = image.shape[:2]
    if kind == "smeared":
        image = cv2.GaussianBlur(image, (0, 0), width / 1654 * rng.uniform(9, 12))
    elif kind == "too_coarse":
        small = cv2.resize(image, (width // 13, height // 13), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    else:
        image = cv2.GaussianBlur(image, (0, 0), width / 1654 * 6)
        image = (250 - (255 - image.astype(np.float32)) * 0.04).astype(np.uint8)
    return finish(image, rng, 0, 5, 1.0)
