#!/usr/bin/env bash
# Runs the shipped program over a folder of labelled cases (entries.csv, scans/, truth.jsonl) in an archive of its
# own, and hands what it read and found to a scorer.
# usage: score.sh SPECIMENS SCORER.py [OUT]
set -euo pipefail

[[ $# -ge 2 ]] || { printf 'usage: make score SPECIMENS=dir SCORE=path/to/score.py [OUT=dir]\n' >&2; exit 2; }
specimens=$(realpath "$1")
scorer=$(realpath "$2")
out=$(realpath -m "${3:-.cache/score}")
cd "$(dirname "$0")/.."
# PROFILE=dev takes the build of the tests: everything that computes is optimised there too.
readonly PROFILE=${PROFILE:-release}
readonly GUIDANG=$PWD/target/${PROFILE/dev/debug}/guidang

tools/setup/build.sh "$PROFILE"
tools/setup/setup.sh models "$GUIDANG"
mkdir -p "$out"
data=$(mktemp -d "${TMPDIR:-/tmp}/score.XXXXXX")
trap 'rm -rf "$data"' EXIT
export GUIDANG_DATA=$data/archive
unset GUIDANG_CONFIG

started=$SECONDS
"$GUIDANG" init >/dev/null
"$GUIDANG" import entries "$specimens/entries.csv"
"$GUIDANG" ingest --wait "$specimens/scans" >"$out/ingest.txt" || tail -n 3 "$out/ingest.txt"
tail -n 1 "$out/ingest.txt"
"$GUIDANG" export findings --format jsonl --out "$out/findings.jsonl"
"$GUIDANG" export readings --format jsonl --out "$out/readings.jsonl"
printf 'read and checked in %d s\n' $((SECONDS - started))
"$GUIDANG" verify || printf 'an invariant does not hold; see above\n'
python3 "$scorer" "$specimens/truth.jsonl" "$out/findings.jsonl" "$out/readings.jsonl" --json "$out/score.json"
printf 'figures and exports are in %s\n' "$out"
