#!/usr/bin/env python3
"""Makes single pages of every kind of paper, each by some device and every other one spoilt in one way: truth.jsonl and pages/.

usage: pages.py --split train|tune|test|eval --pages N --out DIR --regions CSV [--seed N] [--jobs N] [--kinds KIND,…] [--faults FAULT,…]
"""
import argparse
import datetime as dt
import json
import multiprocessing
import pathlib
import shutil

import cv2
import numpy as np
from PIL import Image

import capture
import cards
import ink
import papers
import people
import photo
import spoil
import styles

FAULTS = ("clean", "blurred", "clean", "too_small", "clean", "cut_off", "clean", "covered", "clean", "glare", "clean", "under_exposed",
          "clean", "over_exposed", "clean", "screen")
# Height of the smaller print of a paper, in millimetres.
PRINT_MM = {"licence": 4.6}
ON = dt.date(2026, 9, 1)


def page(task):
    """Draws one page; returns its line of the truth file."""
    index, kind, fault, args, regions = task
    cv2.setNumThreads(1)
    rng = papers.seeded(args.split, args.seed, index)
    sides = papers.sides(kind, rng, args.split, regions, ON)
    conditions = []
    device = "screen" if fault == "screen" else rng.choice(["photo", "photo", "copy", "colour_copy", "scan"])
    if fault in ("covered", "glare", "cut_off", "under_exposed", "over_exposed") and device != "photo" and rng.random() < 0.6:
        device = "photo"
    both = len(sides) == 2 and device in ("copy", "colour_copy", "scan") and rng.random() < 0.6
    shown = sides if both else [rng.choice(sides)]
    picture, box, print_px = drawn(shown, device, rng, args.split, conditions, fault)
    if fault not in ("clean", "screen"):
        picture = spoilt(picture, fault, rng, box, print_px)
    name = f"{args.split}-{index:04d}.jpg"
    quality = rng.choice([92, 85, 75])
    Image.fromarray(picture).save(args.out / "pages" / name, quality=quality)
    return {"file": name, "kind": kind, "capture": device, "fault": None if fault == "clean" else fault, "conditions": conditions,
            "papers": [{"form": side.form, "fields": side.fields} for side in shown]}


def drawn(sides, device, rng, split, conditions, fault):
    """The sides as a device delivers them: the picture, where the papers lie in it, the height of the print."""
    if device in ("copy", "colour_copy", "scan"):
        return on_sheet(sides, device, rng, conditions)
    side = sides[0]
    px_per_mm = rng.uniform(10, 16) if side.size_mm[0] < 100 else rng.uniform(7.5, 11) if side.size_mm[0] < 160 else rng.uniform(5.5, 7.5)
    image = papers.resized(side, px_per_mm)
    height, width = image.shape[:2]
    if device == "screen":
        picture = photo.from_screen(image, rng, conditions, max(1100, width))
        return picture, (0, 0, picture.shape[1], picture.shape[0]), 3.0 * px_per_mm
    alpha = np.asarray(cards.rounded(Image.fromarray(image)))
    long_side = max(900, int(max(image.shape) * rng.uniform(1.05, 1.35)))
    quiet = QuietLight(rng)
    turned = []
    picture = photo.photograph(image, alpha, quiet, rng.choice(styles.BACKGROUNDS[split]), turned, long_side)
    if fault != "clean":
        # A fault is put where the paper lies: the phone is held upright.
        quarters = [int(word.split("_")[1]) // 90 for word in turned if word.startswith("turned_")]
        picture = np.ascontiguousarray(np.rot90(picture, -sum(quarters)))
    conditions += turned
    height, width = picture.shape[:2]
    return picture, (0.07 * width, 0.07 * height, 0.93 * width, 0.93 * height), PRINT_MM.get(side.form, 3.0) * px_per_mm * long_side / max(image.shape[:2])


class QuietLight:
    """Random choices of a photograph in which glare and blur come only where they are asked for."""

    def __init__(self, rng):
        self.rng, self.asked = rng, 0

    def __getattr__(self, name):
        return getattr(self.rng, name)

    def random(self):
        """Values that miss every rare event of `photo.lit` and `photo.focused` but shadow."""
        return 0.26 + 0.7 * self.rng.random()


def on_sheet(sides, device, rng, conditions):
    """Papers on A4 as a copier or scanner takes them."""
    dpi = rng.choice([150, 200, 200, 300])
    width = max(side.size_mm[0] for side in sides)
    sheet = ink.Sheet(297, 210, dpi) if width > 215 else ink.Sheet(210, 297, dpi)
    boxes, y = [], rng.uniform(15, 30) if width < 200 else 0
    for side in sides:
        x = rng.uniform(10, max(11, sheet.width - side.size_mm[0] - 10)) if width < 200 else 0
        picture = Image.fromarray(papers.resized(side, dpi / 25.4))
        angle = rng.uniform(-2.5, 2.5) if width < 200 else 0
        shade = Image.new("RGBA", picture.size, (0, 0, 0, 0))
        shade.paste(picture, (0, 0), cards.rounded(picture))
        shade = shade.rotate(angle, expand=True, resample=Image.BICUBIC)
        sheet.image.paste(shade, (round(sheet.px(x)), round(sheet.px(y))), shade)
        boxes.append((x, y, x + side.size_mm[0], y + side.size_mm[1]))
        y += side.size_mm[1] + rng.uniform(15, 40)
    image = np.asarray(sheet.image)
    if device == "scan":
        image = capture.finish(capture.turned(image, rng.uniform(-1, 1)), rng, rng.uniform(0, 0.6), rng.uniform(1, 3), 1.0)
    else:
        image = capture.photocopy(image, rng, conditions, worn=False, colour=device == "colour_copy")
    box = [sheet.px(v) for v in (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))]
    return image, box, PRINT_MM.get(sides[0].form, 3.0) * dpi / 25.4


def spoilt(picture, fault, rng, box, print_px):
    """The picture with one fault."""
    if fault in ("blurred", "too_small"):
        return getattr(spoil, fault)(picture, rng, print_px)
    if fault in ("cut_off", "covered", "glare"):
        return getattr(spoil, fault)(picture, rng, box)
    return getattr(spoil, fault)(picture, rng)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=styles.SPLITS, required=True)
    parser.add_argument("--pages", type=int, default=96)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--regions", type=pathlib.Path, required=True, help="region codes: code,name,start_year,end_year")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--kinds", default="", help="kinds of paper in turn, with commas between")
    parser.add_argument("--faults", default="", help="faults in turn, with commas between; 'clean' is none")
    return parser.parse_args()


def main():
    """Draws and writes."""
    args = arguments()
    kinds = [kind for kind in args.kinds.split(",") if kind] or papers.KINDS
    faults = [fault for fault in args.faults.split(",") if fault] or FAULTS
    if set(kinds) - set(papers.KINDS) or set(faults) - set(FAULTS):
        raise SystemExit(f"known kinds: {', '.join(papers.KINDS)}; known faults: {', '.join(sorted(set(FAULTS)))}")
    shutil.rmtree(args.out / "pages", ignore_errors=True)
    (args.out / "pages").mkdir(parents=True)
    regions = people.Regions(args.regions)
    tasks = [(index, kinds[index % len(kinds)], faults[index % len(faults)], args, regions) for index in range(args.pages)]
    with multiprocessing.Pool(args.jobs) as pool:
        rows = pool.map(page, tasks, chunksize=1)
    with open(args.out / "truth.jsonl", "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    print(f"{len(rows)} pages in {args.out}")


if __name__ == "__main__":
    main()
