#!/usr/bin/env python3
"""Makes copies of pictures of signatures as copying makes them, to measure when two are one picture.

usage: make_copies.py FOLDER INDEX.csv OUT

Every fourth picture of FOLDER is put into OUT as it is and as two copies: turned a little, resized, blurred, made
lighter, some with two levels only, saved as JPEG. OUT/pairs.csv goes to the example `signature_pairs` of the crate
`reading`, what that makes of it to `train_likeness.py copies`. Needs numpy and opencv.
"""
import csv
import pathlib
import sys

import cv2
import numpy as np

SEED = 20261122
EVERY = 4


def copied(picture, rng):
    """The picture once more, through a copier or a camera."""
    height, width = picture.shape
    scale, turn = rng.uniform(0.6, 1.4), rng.uniform(-3, 3)
    padded = cv2.copyMakeBorder(picture, 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=255)
    turning = cv2.getRotationMatrix2D((width / 2 + 20, height / 2 + 20), turn, 1)
    turned = cv2.warpAffine(padded, turning, padded.shape[::-1], flags=cv2.INTER_CUBIC, borderValue=255)
    size = max(8, round(turned.shape[1] * scale)), max(8, round(turned.shape[0] * scale))
    sized = cv2.resize(turned, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    blurred = cv2.GaussianBlur(sized, (0, 0), rng.uniform(0.3, 1.0) * max(scale, 0.8))
    noisy = 255 - (255.0 - blurred) * rng.uniform(0.6, 1.0) + rng.normal(0, rng.uniform(0, 5), blurred.shape)
    grey = np.clip(noisy, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        grey = np.where(grey < 170, 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(50, 90))])[1]


def main(folder, index, out):
    folder, out = pathlib.Path(folder), pathlib.Path(out)
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    with open(index, encoding="utf-8-sig") as file, open(out / "pairs.csv", "w", encoding="utf-8", newline="") as pairs:
        writer = csv.writer(pairs)
        writer.writerow(["first", "second", "medium"])
        for number, row in enumerate(list(csv.DictReader(file))[::EVERY]):
            picture = cv2.imread(str(folder / row["file"]), cv2.IMREAD_GRAYSCALE)
            cv2.imwrite(str(out / f"{number}.png"), picture)
            for copy in (1, 2):
                (out / f"{number}-{copy}.jpg").write_bytes(copied(picture, rng).tobytes())
                writer.writerow([f"{number}.png", f"{number}-{copy}.jpg", row["medium"]])
            writer.writerow([f"{number}-1.jpg", f"{number}-2.jpg", row["medium"]])


if __name__ == "__main__":
    main(*sys.argv[1:])
