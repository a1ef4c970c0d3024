"""What makes a picture hard to read, one cause at a time and strong enough to matter."""
import cv2
import numpy as np

import ink


def blurred(image, rng, print_px):
    """Out of focus or moved, by a good part of the height of the print."""
    if rng.random() < 0.7:
        return cv2.GaussianBlur(image, (0, 0), print_px * rng.uniform(0.13, 0.24))
    length = max(5, round(print_px * rng.uniform(0.5, 0.9)))
    kernel = np.zeros((length, length), np.float32)
    at = rng.randint(0, length - 1)
    cv2.line(kernel, (0, at), (length - 1, length - 1 - at), 1, 1)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def too_small(image, rng, print_px):
    """So few pixels that strokes run together."""
    ratio = rng.uniform(5.0, 8.5) / print_px
    size = max(60, round(image.shape[1] * ratio)), max(60, round(image.shape[0] * ratio))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def cut_off(image, rng, box):
    """The paper runs over one edge of the picture."""
    left, top, right, bottom = box
    share = rng.uniform(0.10, 0.25)
    across, down = round((right - left) * share), round((bottom - top) * share)
    side = rng.choice(["left", "right", "top", "bottom"])
    height, width = image.shape[:2]
    cuts = {"left": (left + across, 0, width, height), "right": (0, 0, right - across, height),
            "top": (0, top + down, width, height), "bottom": (0, 0, width, bottom - down)}
    x0, y0, x1, y1 = (max(0, round(v)) for v in cuts[side])
    return np.ascontiguousarray(image[y0:y1, x0:x1])


def covered(image, rng, box):
    """A thumb, a strip of paper or a dark object over a part of the print."""
    left, top, right, bottom = box
    width, height = right - left, bottom - top
    kind = rng.choice(["thumb", "paper", "object"])
    colour = {"thumb": (206, 160, 136), "paper": (238, 236, 228), "object": (45, 45, 52)}[kind]
    x, y = left + width * rng.uniform(0.15, 0.55), top + height * rng.uniform(0.25, 0.75)
    mask = np.zeros(image.shape[:2], np.uint8)
    if kind == "thumb":
        end = (rng.choice([left, right]), bottom + height * 0.1)
        cv2.line(mask, (round(x), round(y)), tuple(round(v) for v in end), 255, round(height * rng.uniform(0.2, 0.3)), cv2.LINE_AA)
    else:
        size = width * rng.uniform(0.3, 0.5), height * rng.uniform(0.2, 0.4)
        box_ = cv2.boxPoints(((x, y), size, rng.uniform(-30, 30))).astype(np.int32)
        cv2.fillPoly(mask, [box_], 255)
    shadow = cv2.GaussianBlur(np.roll(mask, (5, 5), (0, 1)), (0, 0), 7).astype(np.float32)[..., None] / 255
    image = image * (1 - 0.35 * shadow)
    part = mask.astype(np.float32)[..., None] / 255
    grain = ink.clouds(rng, *image.shape[:2], 40, 0.85, 1.08)[..., None]
    return np.clip(image * (1 - part) + np.array(colour, np.float32) * grain * part, 0, 255).astype(np.uint8)


def glare(image, rng, box):
    """A lamp mirrored in the film: a spot where nothing is left."""
    left, top, right, bottom = box
    height, width = image.shape[:2]
    xs, ys = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    x, y = left + (right - left) * rng.uniform(0.2, 0.8), top + (bottom - top) * rng.uniform(0.25, 0.75)
    wide, high = (right - left) * rng.uniform(0.10, 0.22), (bottom - top) * rng.uniform(0.10, 0.22)
    spot = np.exp(-((ys[:, None] - y) / high) ** 2 - ((xs[None, :] - x) / wide) ** 2)
    return np.clip(image + 420 * spot[..., None] ** 0.8, 0, 255).astype(np.uint8)


def under_exposed(image, rng):
    """Hardly any light, and the noise that comes with it."""
    return ink.grainy(rng, image, rng.uniform(3, 7), rng.uniform(0.12, 0.26))


def over_exposed(image, rng):
    """So much light that faint print is gone."""
    out = image.astype(np.float32) * rng.uniform(1.5, 2.0) + rng.uniform(40, 80)
    return ink.grainy(rng, np.clip(out, 0, 255).astype(np.uint8), rng.uniform(1, 4))
