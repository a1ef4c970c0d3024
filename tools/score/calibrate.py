#!/usr/bin/env python3
"""Fits the curves from share to confidence on a labelled set.

usage: calibrate.py TRUTH.jsonl READINGS.jsonl CURVES.toml

READINGS come from a program built with CURVES; what it says is taken back to the share by the curves it was built
with, and CURVES is written anew. Fit on a train split, judge on another with by_kind.py. Standard library only.
"""
import argparse
import json
import tomllib

import by_kind

GROUPS = {
    "name": ["name"],
    "address": ["address", "authority"],
    "number": ["id_number", "phone", "slip_number"],
    "other": ["sex", "nation", "birth", "date", "validity_start", "validity_end"],
}
KIND_OF = {"name": "name", "address": "address", "authority": "address", "id_number": "number", "phone": "number",
           "slip_number": "number", "sex": "other", "nation": "other", "date": "other"}
EDGES = [0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 0.995, 1.0]
# So many fields of the usual accuracy are added to each bin, so that a few do not decide.
HELD_BY = 4.0


def back(points, confidence):
    """The share that a curve takes to this confidence."""
    for (x0, y0), (x1, y1) in zip(points, points[1:]):
        if y0 <= confidence <= y1 and y1 > y0:
            return x0 + (x1 - x0) * (confidence - y0) / (y1 - y0)
    return confidence


def rising(values, weights):
    """The nearest rising sequence: neighbours that fall are averaged."""
    blocks = []
    for value, weight in zip(values, weights):
        blocks.append([value, weight, 1])
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, v, n), (b, w, m) = blocks[-2], blocks[-1]
            blocks[-2:] = [[(a * v + b * w) / (v + w), v + w, n + m]]
    return [value for value, _, count in blocks for _ in range(count)]


def fit(shares):
    """Points of a curve for pairs of share and whether the value was right."""
    xs, ys, ws = [], [], []
    for low, high in zip(EDGES, EDGES[1:]):
        inside = [right for share, right in shares if low <= share < high or share == high == 1.0]
        middle = (low + high) / 2
        xs.append(middle)
        ys.append((sum(inside) + HELD_BY * middle) / (len(inside) + HELD_BY))
        ws.append(len(inside) + HELD_BY)
    points = [(0.0, 0.0)] + list(zip(xs, rising(ys, ws))) + [(1.0, 1.0)]
    return [(round(x, 4), round(min(y, 1.0), 4)) for x, y in points]


def write(path, curves):
    """The curves as TOML."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("# How sure a value is whose share among its rivals is known. Made by tools/score/calibrate.py; do not edit.\n")
        for kinds, points in curves:
            file.write("\n[[curves]]\nkinds = " + json.dumps(kinds) + "\npoints = [\n")
            file.writelines(f"  [{x}, {y}],\n" for x, y in points)
            file.write("]\n")


def main():
    """Reads, fits, writes."""
    parser = argparse.ArgumentParser()
    for name in ("truth", "readings", "curves"):
        parser.add_argument(name)
    arguments = parser.parse_args()
    with open(arguments.curves, "rb") as file:
        known = {kind: curve["points"] for curve in tomllib.load(file)["curves"] for kind in curve["kinds"]}
    groups = {name: [] for name in GROUPS}
    for outcome in by_kind.outcomes(by_kind.load(arguments.truth), by_kind.load(arguments.readings)):
        if outcome.got and outcome.confidence is not None:
            group = KIND_OF[by_kind.KINDS[outcome.field.split(".")[-1]]]
            share = back(known.get(GROUPS[group][0], []), outcome.confidence)
            groups[group].append((share, outcome.right))
    write(arguments.curves, [(GROUPS[name], fit(shares)) for name, shares in groups.items()])
    for name, shares in groups.items():
        print(f"{name:8} {len(shares)} fields, {sum(not right for _, right in shares)} wrong")


if __name__ == "__main__":
    main()
