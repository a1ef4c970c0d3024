#!/usr/bin/env python3
"""Trains the likeness of signatures and reports its errors by writers never seen.

usage: train_likeness.py SHAPES.csv MODEL.json

SHAPES.csv comes from the example `signature_shapes` of the crate `reading`: file, writer, name, medium, numbers.
Needs numpy. The comparisons here and in `reading/src/signature/likeness.rs` must stay the same.
"""
import json
import sys

import numpy as np

WHOLE, ROWS, COLUMNS, DIRECTIONS = 8, 8, 16, 4
FOLDS = 5
RIDGE = 1e-2


def load(path):
    rows = [line.rstrip().split(",") for line in open(path, encoding="utf-8")]
    rows = [r for r in rows if len(r) == 4 + WHOLE + ROWS * COLUMNS * DIRECTIONS]
    writer, name, medium = (np.array([r[i] for r in rows]) for i in (1, 2, 3))
    return writer, name, medium, np.array([r[4:] for r in rows], dtype=np.float32)


def views(shapes):
    """The direction map seen coarsely in several ways; each view as square roots of shares."""
    share = (shapes[:, WHOLE:] ** 2).reshape(-1, ROWS, COLUMNS, DIRECTIONS)
    pooled = lambda r, c: share.reshape(-1, r, ROWS // r, c, COLUMNS // c, DIRECTIONS).sum((2, 4))
    parts = [share, pooled(4, 8), pooled(2, 4), pooled(8, 4), pooled(2, 16), share.sum(3), share.sum((2, 3)), share.sum((1, 3)), share.sum((1, 2))]
    parts += [share[..., k] for k in range(DIRECTIONS)]
    parts += [share[:, :, c:c + 4] for c in range(0, COLUMNS, 4)]
    return [np.sqrt(p.reshape(len(p), -1)) for p in parts]


def compare(shapes, seen, a, b):
    distances = [np.sqrt(((v[a] - v[b]) ** 2).sum(1, keepdims=True)) for v in seen]
    return np.hstack([np.abs(shapes[a, :WHOLE] - shapes[b, :WHOLE]), *distances])


def pairs(writer, name, chosen, rng, forgeries=4):
    a, b, same = [], [], []
    for n in np.unique(name):
        here = np.where((name == n) & np.isin(writer, chosen))[0]
        for i in here:
            mine = here[(writer[here] == writer[i]) & (here > i)]
            others = here[writer[here] != writer[i]]
            others = rng.choice(others, min(forgeries, len(others)), replace=False)
            for j in mine: a.append(i); b.append(j); same.append(1)
            for j in others: a.append(i); b.append(j); same.append(0)
    return np.array(a), np.array(b), np.array(same)


def fit(x, y):
    """Logistic regression by Newton steps; both kinds weigh the same."""
    weight = np.where(y == 1, 0.5 / max(1, (y == 1).sum()), 0.5 / max(1, (y == 0).sum())) * len(y)
    x = np.hstack([x, np.ones((len(x), 1))])
    beta = np.zeros(x.shape[1])
    ridge = RIDGE * len(y) * np.eye(len(beta)); ridge[-1, -1] = 0
    for _ in range(12):
        p = 1 / (1 + np.exp(-x @ beta))
        gradient = x.T @ (weight * (p - y)) + ridge @ beta
        hessian = (x * (weight * p * (1 - p) + 1e-9)[:, None]).T @ x + ridge
        beta -= np.linalg.solve(hessian, gradient)
    return beta


def equal_error(score, same):
    right, wrong = np.sort(score[same == 1]), np.sort(score[same == 0])
    at = np.sort(score)
    refused = np.searchsorted(right, at) / len(right)
    accepted = 1 - np.searchsorted(wrong, at) / len(wrong)
    best = np.argmin(np.abs(refused - accepted))
    return (refused[best] + accepted[best]) / 2, at[best]


def main():
    writer, name, medium, shapes = load(sys.argv[1])
    rng = np.random.default_rng(20261121)
    seen = views(shapes)
    writers = rng.permutation(np.unique(writer))
    scores, truth, first, second = [], [], [], []
    for fold in np.array_split(writers, FOLDS):
        a, b, same = pairs(writer, name, np.setdiff1d(writers, fold), rng)
        x = compare(shapes, seen, a, b)
        middle, spread = x.mean(0), x.std(0) + 1e-6
        beta = fit((x - middle) / spread, same)
        a, b, same = pairs(writer, name, fold, rng, 8)
        x = (compare(shapes, seen, a, b) - middle) / spread
        scores.append(x @ beta[:-1] + beta[-1]); truth.append(same); first.append(a); second.append(b)
    score, same, a, b = map(np.concatenate, (scores, truth, first, second))
    phone = lambda i: np.char.startswith(medium[i], "phone")
    report = {
        "all media": np.ones(len(a), bool),
        "one of the two on paper": (medium[a] == "paper") != (medium[b] == "paper"),
        "both on phones": phone(a) & phone(b),
    }
    for kind, chosen in report.items():
        error, at = equal_error(score[chosen], same[chosen])
        print(f"{kind:26} equal error {error:.1%} at {at:+.2f} ({(same[chosen] == 1).sum()} pairs of one hand, {(same[chosen] == 0).sum()} of two)")
    for share in (0.01, 0.02, 0.05):
        at = np.quantile(score[same == 1], share)
        print(f"one hand refused {share:.0%}: at {at:+.2f}, two hands found {np.mean(score[same == 0] < at):.1%}")
    a, b, same = pairs(writer, name, writers, rng)
    x = compare(shapes, seen, a, b)
    middle, spread = x.mean(0), x.std(0) + 1e-6
    beta = fit((x - middle) / spread, same)
    weights = beta[:-1] / spread
    model = {"weights": [round(float(w), 6) for w in weights], "bias": round(float(beta[-1] - weights @ middle), 6)}
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        json.dump(model, out); out.write("\n")


if __name__ == "__main__":
    main()
