#!/usr/bin/env python3
"""Compares what was read on single pages with what stands on them: papers found, fields, causes of poor quality.

usage: pages.py TRUTH.jsonl READ.jsonl [--show N] [--measures]

TRUTH: as `tools/specimens/pages.py` writes it. READ: as `archive-bench --bin pages` writes it. Fields are counted on
unspoilt pages only, causes on all. `--measures` prints how each measure is spread over the faults.
Standard library only.
"""
import argparse
import collections
import json
import re
import statistics
import unicodedata

DATES = {"birth", "valid_from", "valid_to"}
SURE = 0.9
MEASURE_OF = {"blurred": "edge_width_px", "too_small": "print_height_px", "cut_off": "off_picture_share", "glare": "glare_share",
              "under_exposed": "light_level", "over_exposed": "middle_level", "screen": "pattern_ratio"}


def load(path):
    """The objects of a file with one a line."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def plain(text):
    """Text without width, case, blanks and punctuation."""
    folded = unicodedata.normalize("NFKC", text or "").upper()
    return re.sub(r"[^\w]|_", "", folded)


def causes_of(page):
    """Every cause of a page and its papers."""
    found = set(page["quality"]["causes"])
    for paper in page["papers"]:
        found |= set(paper["quality"]["causes"])
    return found


def papers_table(truth, read):
    """Papers found by form, and what they were taken for instead."""
    rows, wrong = collections.defaultdict(lambda: [0, 0, 0]), []
    for page in truth:
        if page["fault"] or page["file"] not in read:
            continue
        found = [paper["form"] for paper in read[page["file"]]["papers"]]
        wanted = [paper["form"] for paper in page["papers"]]
        for form in wanted:
            rows[(page["kind"], form)][0] += 1
            rows[(page["kind"], form)][1] += form in found
        others = [form for form in found if form not in wanted]
        rows[(page["kind"], wanted[0])][2] += len(others)
        if others or set(wanted) - set(found):
            wrong.append((page["file"], wanted, found))
    print("paper, form                                        shown  found  taken for others")
    for (kind, form), (shown, found, others) in sorted(rows.items()):
        print(f"   {kind + ' ' + form:46} {shown:5d}  {found:5d}  {others:5d}")
    return wrong


def fields_table(truth, read):
    """Fields of the papers found, exact, sure, wrong though sure."""
    rows, wrong = collections.defaultdict(lambda: [0, 0, 0, 0]), []
    for page in truth:
        if page["fault"] or page["file"] not in read:
            continue
        by_form = {paper["form"]: paper for paper in read[page["file"]]["papers"]}
        for paper in page["papers"]:
            readings = {field["field"]: field for field in by_form.get(paper["form"], {"fields": []})["fields"]}
            for field, want in paper["fields"].items():
                got = readings.get(field, {"text": None, "confidence": 0.0, "by": ""})
                row, right = rows[(paper["form"], field)], plain(got["text"]) == plain(want)
                sure = got["text"] is not None and got["confidence"] >= SURE
                row[0] += 1
                row[1] += right
                row[2] += sure
                row[3] += sure and not right
                if not right:
                    wrong.append((page["file"], field, want, got["text"], round(got["confidence"], 3), got["by"]))
    print("\nform, field                                        count  exact   sure  wrong when sure")
    for (form, field), (count, right, sure, bad) in sorted(rows.items()):
        print(f"   {form + ' ' + field:46} {count:5d} {right / count:6.1%} {sure / count:6.1%}  {bad:3d}")
    total = [sum(row[i] for row in rows.values()) for i in range(4)]
    print(f"   {'all':46} {total[0]:5d} {total[1] / max(1, total[0]):6.1%} {total[2] / max(1, total[0]):6.1%}  {total[3]:3d}")
    return wrong


def causes_table(truth, read):
    """How often a cause is named where it was made, and where it was not."""
    print("\ncause             made  named   hit rate   false alarms on pages without it (unspoilt ones)")
    wrong = []
    for fault in sorted({page["fault"] for page in truth if page["fault"]}):
        pages = [page for page in truth if page["file"] in read]
        made = [page for page in pages if page["fault"] == fault]
        named = [page for page in made if fault in causes_of(read[page["file"]])]
        false = [page for page in pages if page["fault"] != fault and fault in causes_of(read[page["file"]])]
        clean = [page for page in pages if page["fault"] is None]
        false_clean = [page for page in false if page["fault"] is None]
        wrong += [(page["file"], fault, "not named") for page in made if page not in named] + [(page["file"], fault, "false") for page in false_clean]
        print(f"   {fault:14} {len(made):5d}  {len(named):5d}   {len(named) / max(1, len(made)):7.0%}   "
              f"{len(false)} of {len(pages) - len(made)} ({len(false_clean)} of {len(clean)})")
    copies = [page for page in truth if page["file"] in read and page["fault"] is None and read[page["file"]]["papers"]]
    rows = collections.Counter((page["capture"], paper["capture"]) for page in copies for paper in read[page["file"]]["papers"])
    print("\nhow it was taken in, and as what it was seen")
    for (made, seen), count in sorted(rows.items()):
        print(f"   {made:12} {seen:12} {count}")
    return wrong


def measures_table(truth, read):
    """Each measure over the pages it is for and over the unspoilt ones."""
    for fault, measure in MEASURE_OF.items():
        for name in (fault, None):
            values = []
            for page in truth:
                if page["fault"] == name and page["file"] in read:
                    said = read[page["file"]]
                    seen = [q["measures"].get(measure) for q in [said["quality"], *(paper["quality"] for paper in said["papers"])]]
                    values += [max(v for v in seen if v is not None)] if any(v is not None for v in seen) else []
            if len(values) > 1:
                cuts = statistics.quantiles(values, n=20, method="inclusive")
                print(f"{measure:20} {name or 'unspoilt':14} n={len(values):4d} 5%={cuts[0]:8.3f} 25%={cuts[4]:8.3f} 50%={cuts[9]:8.3f} 75%={cuts[14]:8.3f} 95%={cuts[18]:8.3f}")


def main():
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("truth")
    parser.add_argument("read")
    parser.add_argument("--show", type=int, default=0, help="examples of each kind of error")
    parser.add_argument("--measures", action="store_true")
    args = parser.parse_args()
    truth, read = load(args.truth), {page["file"]: page for page in load(args.read)}
    for errors in (papers_table(truth, read), fields_table(truth, read), causes_table(truth, read)):
        for error in errors[:args.show]:
            print("     ", *error)
    if args.measures:
        measures_table(truth, read)


if __name__ == "__main__":
    main()
