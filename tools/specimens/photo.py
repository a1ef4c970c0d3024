"""Phone photographs of cards and sheets, and photographs of a screen."""
import math

import cv2
import numpy as np

import ink


def background(kind, rng, height, width):
    """A table top or floor, drawn small and enlarged."""
    h, w = max(60, height // 3), max(60, width // 3)
    base = np.array([rng.uniform(60, 190) for _ in range(3)], np.float32)
    xs, ys = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    if kind == "wood":
        field = np.sin((ys + 14 * ink.clouds(rng, h, w, 120, -1, 1)) / rng.uniform(2, 6)) * 12 + ink.clouds(rng, h, w, 30, -12, 12)
        base = np.array([150, 105, 65], np.float32) * rng.uniform(0.5, 1.3)
    elif kind == "cloth":
        field = np.sin(xs * 1.4) * 9 + np.sin(ys * 1.3) * 9 + ink.clouds(rng, h, w, 90, -15, 15)
    elif kind == "marble":
        field = -60 * np.exp(-np.abs(ink.clouds(rng, h, w, 70, -1, 1)) * 12) + ink.clouds(rng, h, w, 40, -10, 10)
        base = np.array([215, 213, 208], np.float32)
    elif kind == "desk":
        field = ink.clouds(rng, h, w, 60, -8, 8)
        base = np.array([70, 62, 60], np.float32) * rng.uniform(0.4, 1.4)
    elif kind == "tiles":
        pitch = rng.uniform(90, 160)
        field = -50 * (((xs + ys * 0.1) % pitch < 3) | ((ys - xs * 0.1) % pitch < 3)) + ink.clouds(rng, h, w, 15, -6, 6)
    elif kind == "felt":
        field = np.random.default_rng(rng.getrandbits(32)).normal(0, 9, (h, w)).astype(np.float32) + ink.clouds(rng, h, w, 140, -25, 25)
        base = np.array([40, 85, 60], np.float32) * rng.uniform(0.7, 1.3)
    elif kind == "granite":
        field = ink.clouds(rng, h, w, 3, -55, 55) + ink.clouds(rng, h, w, 9, -25, 25)
        base = np.array([150, 148, 146], np.float32)
    elif kind == "carpet":
        field = np.random.default_rng(rng.getrandbits(32)).normal(0, 22, (h, w)).astype(np.float32) + ink.clouds(rng, h, w, 50, -20, 20)
    else:
        field = papers(rng, h, w)
        base = np.array([190, 188, 180], np.float32)
    image = np.clip(base + field[..., None], 0, 255)
    return cv2.resize(image.astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)


def papers(rng, h, w):
    """Other sheets with grey lines lying about."""
    field = np.zeros((h, w), np.float32)
    for _ in range(4):
        box = cv2.boxPoints(((rng.uniform(0, w), rng.uniform(0, h)), (w * 0.6, h * 0.6), rng.uniform(0, 180))).astype(np.int32)
        cv2.fillPoly(field, [box], rng.uniform(20, 60))
        for row in range(6):
            start = box[0] + (box[1] - box[0]) * (0.15 + row * 0.12)
            end = start + (box[3] - box[0]) * 0.8
            cv2.line(field, tuple(int(v) for v in start), tuple(int(v) for v in end), -40, 1)
    return field


def photograph(image, alpha, rng, kind, conditions, long_side, askew=0.07):
    """Lays the paper on a background, looks at it askew (by as much of its size), lights it unevenly, and turns the phone."""
    height, width = image.shape[:2]
    ratio = long_side / max(height, width)
    out_h, out_w = round(height * ratio), round(width * ratio)
    margin = rng.uniform(0.03, 0.12)
    quad = corners(rng, out_w, out_h, margin, askew)
    source = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    matrix = cv2.getPerspectiveTransform(source, quad)
    flags = cv2.INTER_AREA if ratio < 0.7 else cv2.INTER_LINEAR
    if ratio < 0.75:
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / ratio)
    paper = cv2.warpPerspective(image, matrix, (out_w, out_h), flags=flags)
    mask = cv2.warpPerspective(alpha, matrix, (out_w, out_h), flags=cv2.INTER_LINEAR)
    scene = background(kind, rng, out_h, out_w)
    conditions.append(f"on_{kind}")
    shadow = cv2.GaussianBlur(np.roll(mask, (6, 6), (0, 1)), (0, 0), 9).astype(np.float32) / 255
    scene = scene * (1 - 0.45 * shadow[..., None])
    part = (mask.astype(np.float32) / 255)[..., None]
    scene = scene * (1 - part) + paper * part
    scene = lit(scene, rng, conditions)
    scene = focused(np.clip(scene, 0, 255).astype(np.uint8), rng, conditions, ratio)
    return turned_phone(scene, rng, conditions)


def corners(rng, width, height, margin, askew):
    """Where the corners of the paper fall in the picture."""
    tilt = rng.uniform(0.005, askew)
    spread = lambda: rng.uniform(-tilt, tilt)
    points = np.array([[margin, margin], [1 - margin, margin], [1 - margin, 1 - margin], [margin, 1 - margin]])
    points += [[spread(), spread()] for _ in range(4)]
    angle = math.radians(rng.uniform(-5, 5))
    centred = (points - 0.5) * [width, height]
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    fit = 1 - abs(math.sin(angle)) * 0.7
    return (centred @ turn * fit + [width / 2, height / 2]).astype(np.float32)


def lit(scene, rng, conditions):
    """Uneven light, a shadow across, a glare spot, a colour cast."""
    height, width = scene.shape[:2]
    light = ink.clouds(rng, height, width, max(height, width) // 2, *rng.choice([(0.85, 1.08), (0.6, 1.1), (0.45, 1.0)]))
    if rng.random() < 0.3:
        conditions.append("shadow")
        edge = np.zeros((height // 4, width // 4), np.float32)
        points = np.array([[rng.uniform(-0.2, 1.2) * width / 4, rng.uniform(-0.2, 1.2) * height / 4] for _ in range(3)]).astype(np.int32)
        cv2.fillPoly(edge, [points], 1.0)
        edge = cv2.resize(cv2.GaussianBlur(edge, (0, 0), rng.uniform(1, 8)), (width, height))
        light = light * (1 - rng.uniform(0.25, 0.5) * edge)
    cast = np.array([rng.uniform(0.94, 1.06), 1.0, rng.uniform(0.88, 1.08)], np.float32)
    scene = scene * light[..., None] * cast
    if rng.random() < 0.25:
        conditions.append("glare")
        xs, ys = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
        x, y = rng.uniform(0.15, 0.85) * width, rng.uniform(0.1, 0.9) * height
        spot = np.outer(np.exp(-((ys - y) / (height * rng.uniform(0.05, 0.16))) ** 2), np.exp(-((xs - x) / (width * rng.uniform(0.05, 0.16))) ** 2))
        scene = scene + (252 - scene) * (spot * rng.uniform(0.45, 0.8))[..., None]
    return scene


def focused(scene, rng, conditions, ratio):
    """Softness of focus or a moved hand, then sensor noise."""
    choice = rng.random()
    if choice < 0.2:
        length = rng.randint(3, 5)
        kernel = np.zeros((length, length), np.float32)
        cv2.line(kernel, (0, rng.randint(0, length - 1)), (length - 1, rng.randint(0, length - 1)), 1, 1)
        scene = cv2.filter2D(scene, -1, kernel / kernel.sum())
        conditions.append("motion_blur")
    elif choice < 0.75:
        scene = cv2.GaussianBlur(scene, (0, 0), rng.uniform(0.4, 1.3))
    return ink.grainy(rng, scene, rng.uniform(2, 9))


def turned_phone(scene, rng, conditions):
    """The phone held in any of four ways."""
    quarter = rng.choice([0, 0, 1, 2, 3])
    if quarter:
        conditions.append(f"turned_{quarter * 90}")
        scene = np.ascontiguousarray(np.rot90(scene, quarter))
    return scene


def from_screen(image, rng, conditions, long_side):
    """The picture shown on a monitor and photographed: pixel grid, moiré, a bluish glow, a bezel."""
    height, width = image.shape[:2]
    ratio = long_side / max(height, width)
    shown = cv2.resize(image, (round(width * ratio), round(height * ratio)), interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR).astype(np.float32)
    h, w = shown.shape[:2]
    pad = round(0.05 * long_side)
    shown = cv2.copyMakeBorder(shown, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=rng.choice([(25, 25, 28), (240, 240, 242), (60, 75, 110)]))
    h, w = shown.shape[:2]
    xs, ys = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h, dtype=np.float32))
    angle, pitch = rng.uniform(-0.06, 0.06), rng.uniform(2.05, 2.6)
    across = (xs * math.cos(angle) + ys * math.sin(angle)) / pitch * 2 * math.pi
    down = (ys * math.cos(angle) - xs * math.sin(angle)) / pitch * 2 * math.pi
    depth = rng.uniform(0.05, 0.13)
    for channel in range(3):
        shown[..., channel] *= 1 - depth * (1 + np.sin(across + channel * 2.1)) - depth * 0.5 * (1 + np.sin(down))
    shown = shown * np.array([0.95, 1.0, 1.08], np.float32) * ink.clouds(rng, h, w, max(h, w) // 2, 0.8, 1.1)[..., None]
    shown = np.clip(shown, 0, 255).astype(np.uint8)
    tilt = 0.025
    corner = lambda x, y: [x + rng.uniform(-tilt, tilt) * w, y + rng.uniform(-tilt, tilt) * h]
    quad = np.float32([corner(0, 0), corner(w, 0), corner(w, h), corner(0, h)])
    matrix = cv2.getPerspectiveTransform(np.float32([[0, 0], [w, 0], [w, h], [0, h]]), quad)
    shown = cv2.warpPerspective(shown, matrix, (w, h), borderValue=(30, 30, 32))
    conditions.append("screen_moire")
    return focused(shown, rng, conditions, ratio)


def curled(image, alpha, rng):
    """Paper that does not lie flat: rows and columns bend a little."""
    height, width = image.shape[:2]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    amount = rng.uniform(0.004, 0.012) * height
    bend = np.sin(xs / width * math.pi * rng.uniform(0.8, 2.2) + rng.uniform(0, 3)) * amount
    ys += bend * (0.4 + 0.6 * ys / height)
    image = cv2.remap(image, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return image, cv2.remap(alpha, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
