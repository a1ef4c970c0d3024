#!/usr/bin/env python3
"""Trains the likeness of signatures and reports its errors by writers never seen.

usage: train_likeness.py pairs INDEX.csv PAIRS.csv
       train_likeness.py train DIFFERENCES.csv MODEL.json
       train_likeness.py copies DIFFERENCES.csv DIFFERENCES_OF_COPIES.csv

INDEX.csv: file, writer, name, medium. DIFFERENCES.csv is what the example `signature_pairs` of the crate `reading`
makes of PAIRS.csv, so that the numbers weighed here are those of the product. Needs numpy.

Folds are of writers. A forgery is the same name by another writer of the same fold, on the medium that the writer's
own one would be on; so no writer is both in training and in the test, and media tell nothing.
"""
import csv
import itertools
import json
import sys

import numpy as np

FOLDS = 5
SEED = 20261122
FORGERIES = 3
RIDGE = 3e-3
# On slips a pen is compared with a pen: a pen against a finger on glass counts less.
FULL_WEIGHT, OTHER_WEIGHT = 1.0, 0.2
# Of the numbers of a pair, the one by which copies are told: the mean distance from the lines of the other's strokes.
OFF_STROKE = 17
MEDIA = ["paper", "tablet", "phone_in_hand", "phone_on_table"]
COLUMNS = ["first", "second", "fold", "name", "writer", "other", "medium", "other_medium"]
# Earlier signatures that differ move the score by this share of what they fall below, and by no more than that.
SHARE_ALLOWED, MOST_ALLOWED = 0.5, 2.0


def write_pairs(index, out):
    """Pairs of one hand, and each sample against the other samples of a hand that did not write it."""
    rows = list(csv.DictReader(open(index, encoding="utf-8-sig")))
    files = {(r["writer"], r["name"], r["medium"]): r["file"] for r in rows}
    rng = np.random.default_rng(SEED)
    folds = np.array_split(rng.permutation(sorted({r["writer"] for r in rows})), FOLDS)
    writer_of = csv.writer(open(out, "w", encoding="utf-8", newline=""))
    writer_of.writerow(COLUMNS)
    for (fold, writers), name in itertools.product(enumerate(folds), sorted({r["name"] for r in rows})):
        for writer in writers:
            for one, other in itertools.combinations(MEDIA, 2):
                writer_of.writerow([files[writer, name, one], files[writer, name, other], fold, name, writer, writer, one, other])
            for medium in MEDIA:
                for stranger in rng.choice([w for w in writers if w != writer], FORGERIES, replace=False):
                    for own in MEDIA:
                        if own != medium:
                            writer_of.writerow([files[writer, name, own], files[stranger, name, medium], fold, name, writer, stranger, own, medium])


def load(path):
    rows = [line.rstrip("\n").split(",") for line in open(path, encoding="utf-8")]
    rows = [r for r in rows if len(r) > len(COLUMNS)]
    columns = {name: np.array([r[i] for r in rows]) for i, name in enumerate(COLUMNS)}
    return columns, np.array([r[len(COLUMNS):] for r in rows], dtype=np.float64)


def media_of(pairs):
    """Whether a pen wrote both, and whether both were written on phones."""
    pens = np.isin(pairs["medium"], MEDIA[:2]) & np.isin(pairs["other_medium"], MEDIA[:2])
    phones = np.isin(pairs["medium"], MEDIA[2:]) & np.isin(pairs["other_medium"], MEDIA[2:])
    return pens, phones


def fit(x, y, weight):
    """Logistic regression by Newton steps; both kinds weigh the same."""
    weight = weight * np.where(y, 0.5 / weight[y].sum(), 0.5 / weight[~y].sum()) * len(y)
    x = np.hstack([x, np.ones((len(x), 1))])
    beta = np.zeros(x.shape[1])
    ridge = RIDGE * len(y) * np.eye(len(beta))
    ridge[-1, -1] = 0
    for _ in range(15):
        p = 1 / (1 + np.exp(-x @ beta))
        gradient = x.T @ (weight * (p - y)) + ridge @ beta
        hessian = (x * (weight * p * (1 - p) + 1e-9)[:, None]).T @ x + ridge
        beta -= np.linalg.solve(hessian, gradient)
    return beta


def model_of(x, same, weight):
    middle, spread = x.mean(0), x.std(0) + 1e-6
    beta = fit((x - middle) / spread, same, weight)
    weights = beta[:-1] / spread
    return weights, beta[-1] - weights @ middle


def equal_error(score, same):
    right, wrong = np.sort(score[same]), np.sort(score[~same])
    at = np.sort(score)
    refused = np.searchsorted(right, at) / len(right)
    accepted = 1 - np.searchsorted(wrong, at) / len(wrong)
    best = np.argmin(np.abs(refused - accepted))
    return (refused[best] + accepted[best]) / 2, at[best]


def report(label, score, same):
    error, at = equal_error(score, same)
    print(f"{label:44} equal error {error:.1%} at {at:+.2f} ({same.sum()} of one hand, {(~same).sum()} of two)")


def against_several(pairs, score, same):
    """Each sample against the three others of a writer: scores, whether it is the writer's, and by which samples."""
    own = {}
    for first, second, value in zip(pairs["first"][same], pairs["second"][same], score[same]):
        own[first, second] = own[second, first] = value
    groups = {}
    for first, second, name, writer, other, value in zip(*(pairs[c] for c in ("first", "second", "name", "writer", "other")), score):
        groups.setdefault((name, writer, second, other), []).append((first, value))
        if writer == other:
            groups.setdefault((name, writer, first, other), []).append((second, value))
    return [(references, writer == other, own) for (_, writer, _, other), references in groups.items() if len(references) == 3]


def combined(references, own, at):
    """The score in use: between the best and the mean, and allowing what the references differ among themselves."""
    values = np.array([value for _, value in references])
    among = [own[one, other] for (one, _), (other, _) in itertools.combinations(references, 2)]
    allowance = np.clip(at - np.mean(among), 0, MOST_ALLOWED) * SHARE_ALLOWED if among else 0.0
    return (values.max() + values.mean()) / 2 + allowance


def train(path, model_path):
    pairs, x = load(path)
    same = pairs["writer"] == pairs["other"]
    fold = pairs["fold"].astype(int)
    pens, phones = media_of(pairs)
    weight = np.where(pens | phones, FULL_WEIGHT, OTHER_WEIGHT)
    score = np.zeros(len(x))
    for test in range(FOLDS):
        learn = fold != test
        weights, bias = model_of(x[learn], same[learn], weight[learn])
        score[~learn] = x[~learn] @ weights + bias
    paper = (pairs["medium"] == "paper") ^ (pairs["other_medium"] == "paper")
    for label, chosen in {"all media": np.ones(len(x), bool), "one of the two on paper": paper, "paper and tablet, a pen on both": pens, "both on phones": phones}.items():
        report(label, score[chosen], same[chosen])
    groups = against_several(pairs, score, same)
    truth = np.array([is_own for _, is_own, _ in groups])
    for count in (1, 3):
        values = [combined(references[:count], own, 0.5) for references, _, own in groups]
        report(f"all media, {count} reference(s)", np.array(values), truth)
    plain = [np.mean([value for _, value in references]) for references, _, _ in groups]
    report("all media, 3 references, mean, nothing allowed", np.array(plain), truth)
    for label, chosen in {"all": np.ones(len(x), bool), "pen or phone": pens | phones}.items():
        for share in (0.01, 0.02, 0.05):
            at = np.quantile(score[chosen & same], share)
            print(f"{label}: one hand refused {share:.0%} at {at:+.2f}, two hands found {np.mean(score[chosen & ~same] < at):.1%}")
    weights, bias = model_of(x, same, weight)
    with open(model_path, "w", encoding="utf-8") as out:
        json.dump({"weights": [round(float(w), 6) for w in weights], "bias": round(float(bias), 6)}, out)
        out.write("\n")


def copies(path, copies_path):
    """How far two signatures of one hand stay apart, and how far copies of one signature do."""
    pairs, x = load(path)
    rows = [line.rstrip("\n").split(",") for line in open(copies_path, encoding="utf-8")]
    kept = [float(row[3 + OFF_STROKE]) for row in rows if len(row) > 3]
    written = x[pairs["writer"] == pairs["other"], OFF_STROKE]
    print(f"{len(rows) - len(kept)} of {len(rows)} copies without a shape")
    for at in np.arange(0.015, 0.060, 0.005):
        print(f"below {at:.3f}: {np.mean(np.array(kept) < at):.1%} of {len(kept)} copies, {np.sum(written < at)} of {len(written)} written twice by one hand")
    print(f"nearest of those written twice: {np.sort(written)[:5].round(3).tolist()}")


if __name__ == "__main__":
    {"pairs": write_pairs, "train": train, "copies": copies}[sys.argv[1]](*sys.argv[2:])
