#!/usr/bin/env python3
"""Makes a set of labelled, invented cases: entries.csv, truth.jsonl and scans/.

usage: generate.py --split train|tune|test|eval --cases N --out DIR --regions CSV [--signatures DIR] [--seed N] [--jobs N] [--only FAULT,…]
"""
import argparse
import csv
import json
import multiprocessing
import pathlib
import shutil

import cv2

import draw_case
import faults
import hands
import people
import plan
import styles

HEAD = ["受理网点编码", "受理网点", "渠道", "受理日期", "业务流水号", "业务号码", "客户类型", "客户名称", "证件类型", "证件号码", "证件地址",
        "联系人", "联系电话", "通信地址", "代办人姓名", "代办人证件号码", "受理人工号", "办理业务"]


def entry_row(case):
    """What was typed at the counter, as the business system exports it."""
    city, code, outlet, channel = case.outlet
    e = case.entry
    return [city + code, outlet, channel, case.accepted_on.isoformat(), case.slip_number, e["service_number"], e["customer_type"], e["customer_name"],
            e["id_type"], e["id_number"], e["id_address"], e["contact_name"], e["contact_phone"], e["mailing_address"], e["agent_name"],
            e["agent_id_number"], case.staff, case.product]


def truth_row(case, scans):
    """What the papers really say."""
    signer = case.agent or case.customer
    return {"slip_number": case.slip_number, "fault": case.fault, "expect": faults.EXPECT[case.fault], "scans": scans, "printed": case.printed,
            "card": case.card_holder.card(), "returning": case.returning, "signer": signer.name}


def copy_scan(case, source, scans, folder):
    """Files the same identity sheet again for another customer."""
    name = scans[source.index][0]
    file = f"{case.slip_number}-id.{name['file'].rsplit('.', 1)[1]}"
    shutil.copyfile(folder / name["file"], folder / file)
    return {"file": file, "kind": name["kind"], "capture": f"copy of {name['file']}", "conditions": name["conditions"]}


def _draw(task):
    case, folder = task
    cv2.setNumThreads(1)
    return draw_case.draw(case, folder)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=styles.SPLITS, required=True)
    parser.add_argument("--cases", type=int, default=60)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--regions", type=pathlib.Path, required=True, help="region codes: code,name,start_year,end_year")
    parser.add_argument("--signatures", type=pathlib.Path, help="folder of real handwritten names with index.csv; without it all hands are fonts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="faults in turn, with commas between; 'clean' is none")
    return parser.parse_args()


def main():
    """Plans, draws, writes."""
    args = arguments()
    folder = args.out / "scans"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    only = [None if name == "clean" else name for name in args.only.split(",") if name]
    if set(only) - set(faults.EXPECT):
        raise SystemExit(f"unknown fault in --only; known: clean, {', '.join(filter(None, faults.EXPECT))}")
    planner = plan.Planner(args.split, args.seed, args.cases, people.Regions(args.regions), hands.RealHands(args.signatures, args.split), only)
    cases = planner.plan()
    with multiprocessing.Pool(args.jobs) as pool:
        scans = pool.map(_draw, [(case, folder) for case in cases], chunksize=1)
    for case in cases:
        if case.copy_of is not None:
            scans[case.index].insert(0, copy_scan(case, cases[case.copy_of], scans, folder))
    with open(args.out / "truth.jsonl", "w", encoding="utf-8") as file:
        for case, drawn in zip(cases, scans):
            file.write(json.dumps(truth_row(case, drawn), ensure_ascii=False) + "\n")
    with open(args.out / "entries.csv", "w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([HEAD, *map(entry_row, cases)])
    print(f"{len(cases)} cases, {sum(map(len, scans))} scans in {args.out}")


if __name__ == "__main__":
    main()
