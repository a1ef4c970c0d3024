#!/usr/bin/env python3
"""Breaks a reading score down by kind: capture, condition, field, confidence, fault.

usage: by_kind.py TRUTH.jsonl READINGS.jsonl FINDINGS.jsonl [--show N] [--least N] [--json OUT]

TRUTH:    slip_number, fault, expect, scans (file, kind, capture and, where known, conditions), printed, card.
READINGS: slip_number, slot, field, text, confidence; the best reading of a field only, one line a field.
FINDINGS: slip_number, code, subject.
Standard library only. Exit status 0 when the inputs could be read.
"""
import argparse
import collections
import dataclasses
import json
import re
import unicodedata

SLIP = ["slip_number", "service_number", "customer_name", "id_number", "id_address", "contact_name", "contact_phone", "mailing_address"]
FRONT = ["name", "sex", "nation", "birth", "address", "id_number"]
BACK = ["authority", "valid_from", "valid_to"]
DATES = {"birth", "valid_from", "valid_to"}
KINDS = {"name": "name", "customer_name": "name", "contact_name": "name", "address": "address", "id_address": "address", "mailing_address": "address",
         "id_number": "id_number", "contact_phone": "phone", "service_number": "phone", "slip_number": "slip_number", "sex": "sex", "nation": "nation",
         "birth": "date", "valid_from": "date", "valid_to": "date", "authority": "authority"}
EDGES = [0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1.0]
SURE = 0.9


@dataclasses.dataclass
class Outcome:
    """One field that stands on paper, and what became of it."""

    slip: str
    field: str
    capture: str
    conditions: tuple
    want: str
    got: str
    confidence: float | None
    right: bool


def load(path):
    """The objects of a file with one a line."""
    with open(path, encoding="utf-8-sig") as file:
        return [json.loads(line) for line in file if line.strip()]


def plain(text):
    """Text without what does not count: width, case, blanks, punctuation of names, numbers and dates."""
    folded = unicodedata.normalize("NFKC", text or "").upper()
    return re.sub(r"[\s·•・.:,()/年月日-]", "", folded)


def plain_date(text):
    """A date as numbers; 长期 and rubbish stay text."""
    numbers = re.findall(r"\d+", unicodedata.normalize("NFKC", text or ""))
    if len(numbers) == 1 and len(numbers[0]) == 8:
        numbers = [numbers[0][:4], numbers[0][4:6], numbers[0][6:]]
    return tuple(map(int, numbers[:3])) if len(numbers) >= 3 else plain(text)


def same(field, want, got):
    """Whether a reading says what the paper says."""
    fold = plain_date if field in DATES else plain
    return fold(want) == fold(got)


def wanted(case):
    """Slot, field, value and scan of every field that the papers of a case show."""
    printed = dict(case["printed"], slip_number=case["slip_number"])
    sources = {"slip": (SLIP, printed), "id_front": (FRONT, case["card"]), "id_back": (BACK, case["card"])}
    for scan in case["scans"]:
        for slot in scan["kind"]:
            fields, values = sources.get(slot, ((), {}))
            for field in fields:
                if values.get(field):
                    yield slot, field, values[field], scan


def outcomes(truth, readings):
    """What became of every legible field."""
    best = {(r["slip_number"], r["slot"], r["field"]): r for r in readings}
    result = []
    for case in truth:
        if case["fault"] in ("illegible", "reused_scan"):
            continue
        for slot, field, want, scan in wanted(case):
            reading = best.get((case["slip_number"], slot, field)) or {}
            got = reading.get("text") or ""
            result.append(Outcome(case["slip_number"], f"{slot}.{field}", scan["capture"], tuple(scan.get("conditions", ())), want, got,
                                  reading.get("confidence"), bool(got) and same(field, want, got)))
    return result


def tally(name, group):
    """One line of a table: exact, unread, sure, wrong among the sure."""
    right, unread = sum(o.right for o in group), sum(not o.got for o in group)
    sure = [o for o in group if o.got and o.confidence is not None and o.confidence >= SURE]
    wrong = sum(not o.right for o in sure)
    count = len(group)
    print(f"   {name:42} {right / count:7.2%} {unread / count:7.2%} {len(sure) / count:7.1%} {wrong:4d}/{len(sure):<5d} n={count}")
    return {"exact": right / count, "unread": unread / count, "sure": len(sure) / count, "sure_wrong": wrong, "n": count}


def grouped(all_outcomes, keys):
    """Outcomes under each of the keys that `keys` gives for one."""
    groups = collections.defaultdict(list)
    for outcome in all_outcomes:
        for key in keys(outcome):
            groups[key].append(outcome)
    return groups


def table(title, groups, least):
    """Prints a table of groups with at least `least` fields, the worst first."""
    print(f"{title:45}   exact  unread   sure  wrong when sure")
    lines = [(key, group) for key, group in groups.items() if len(group) >= least]
    lines.sort(key=lambda pair: (sum(o.right for o in pair[1]) / len(pair[1]), pair[0]))
    return {key: tally(key, group) for key, group in lines}


def reliability(all_outcomes):
    """Prints confidence against the share that is right; returns the expected calibration error."""
    known = [o for o in all_outcomes if o.got and o.confidence is not None]
    print("reliability: confidence         n     said    right")
    error, rows = 0.0, []
    for low, high in zip(EDGES, EDGES[1:]):
        group = [o for o in known if low <= o.confidence < high or high == 1.0 == o.confidence]
        if not group:
            continue
        said, right = sum(o.confidence for o in group) / len(group), sum(o.right for o in group) / len(group)
        error += abs(said - right) * len(group) / len(known)
        rows.append({"low": low, "high": high, "n": len(group), "said": said, "right": right})
        print(f"   {low:6.3f} to {high:6.3f}   {len(group):6d}  {said:7.2%}  {right:7.2%}")
    print(f"expected calibration error {error:.4f} over {len(known)} fields with a confidence")
    return {"ece": error, "bins": rows}


def wrong_but_sure(all_outcomes, show):
    """Prints wrong readings that claim to be sure, by kind of field."""
    groups = grouped([o for o in all_outcomes if o.got and not o.right and (o.confidence or 0) >= SURE], lambda o: [KINDS[o.field.split(".")[1]]])
    print(f"wrong with confidence >= {SURE}, by field kind:" + ("" if groups else " none"))
    for kind, group in sorted(groups.items(), key=lambda pair: -len(pair[1])):
        print(f"   {kind:12} {len(group)}")
        for o in sorted(group, key=lambda o: -o.confidence)[:show]:
            print(f"      {o.slip} {o.field} {o.confidence:.3f} {o.capture}: paper {o.want} read {o.got}")
    return {kind: len(group) for kind, group in groups.items()}


def guessed(truth, readings):
    """Counts confident claims about card pages that nobody can read."""
    dark = {(case["slip_number"], slot) for case in truth if case["fault"] == "illegible"
            for scan in case["scans"] if scan["capture"] == "illegible" for slot in scan["kind"]}
    claims = [r for r in readings if (r["slip_number"], r["slot"]) in dark and r.get("text") and (r.get("confidence") or 0) >= SURE]
    print(f"confident fields on illegible pages: {len(claims)} over {len(dark)} slots")
    return len(claims)


def by_fault(truth, findings):
    """Prints for every fault how many of its findings were raised, and how many cases got one not expected."""
    found = collections.defaultdict(set)
    for finding in findings:
        found[finding["slip_number"]].add((finding["code"], finding.get("subject") or ""))
    rows = collections.defaultdict(lambda: [0, 0, 0, 0])
    extras = collections.Counter()
    for case in truth:
        want = {(e["code"], e["subject"]) for e in case["expect"]}
        codes = {code for code, _ in found[case["slip_number"]]}
        hit = {w for w in want if w in found[case["slip_number"]] or w[0] != "field_mismatch" and w[0] in codes}
        more = {f for f in found[case["slip_number"]] if f not in want and (f[0] == "field_mismatch" or f[0] not in {w[0] for w in want})}
        row = rows[case["fault"] or "(clean)"]
        row[0], row[1], row[2], row[3] = row[0] + 1, row[1] + len(hit), row[2] + len(want), row[3] + bool(more)
        extras.update(more)
    print("fault                     cases   raised   cases with a finding not expected")
    for fault, (cases, hit, want, more) in sorted(rows.items()):
        print(f"   {fault:24} {cases:4d} {hit:5d}/{want:<5d} {more:4d}")
    for (code, subject), count in extras.most_common(12):
        print(f"   not expected: {code} {subject} {count}")
    return {fault: dict(zip(("cases", "raised", "expected", "with_unexpected"), row)) for fault, row in rows.items()}


def main():
    """Reads the three files and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("truth", "readings", "findings"):
        parser.add_argument(name)
    parser.add_argument("--show", type=int, default=5, help="wrong but sure fields shown for each kind")
    parser.add_argument("--least", type=int, default=20, help="conditions with fewer fields are left out")
    parser.add_argument("--json", help="writes the figures here as well")
    args = parser.parse_args()
    truth, readings = load(args.truth), load(args.readings)
    fields = outcomes(truth, readings)
    if not fields:
        raise SystemExit("the truth file holds no legible field")
    figures = {"all": table("all", {"all": fields}, 1)}
    figures["field"] = table("by field", grouped(fields, lambda o: [o.field]), 1)
    figures["capture"] = table("by capture", grouped(fields, lambda o: [f"{o.capture} {o.field.split('.')[0]}", o.capture]), 1)
    figures["condition"] = table("by condition", grouped(fields, lambda o: o.conditions), args.least)
    figures["reliability"] = reliability(fields)
    figures["wrong_but_sure"] = wrong_but_sure(fields, args.show)
    figures["guessed"] = guessed(truth, readings)
    figures["fault"] = by_fault(truth, load(args.findings))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
