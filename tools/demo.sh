#!/usr/bin/env bash
# The demonstration: an empty archive takes in the samples over HTTP, and everything it can do is shown once.
# usage: demo.sh [start | stop | clean]
set -euo pipefail
cd "$(dirname "$0")/.."

readonly DATA=$PWD/demo-data
# PROFILE=dev takes the build of the tests: everything that computes is optimised there too.
readonly PROFILE=${PROFILE:-release}
readonly GUIDANG=$PWD/target/${PROFILE/dev/debug}/guidang
export GUIDANG_DATA=$DATA GUIDANG_SERVER__LISTEN=${GUIDANG_SERVER__LISTEN:-127.0.0.1:8490}
# Samples do not grow younger: a card may belong to an acceptance of any day, not only of the days before today.
export GUIDANG_WORKERS__OPEN_DAYS=36500
unset GUIDANG_CONFIG

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Shows a command as the reader would type it, then runs it.
run() {
  printf '$ guidang'
  printf ' %s' "$@"
  printf '\n'
  "$GUIDANG" "$@"
}

server_pid() {
  [[ -r $DATA/run/server.json ]] || return 1
  local pid
  pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' "$DATA/run/server.json")
  # The number may have gone to another program since.
  [[ -n $pid && $(readlink "/proc/$pid/exe" 2>/dev/null) == "$(realpath -m "$GUIDANG")"* ]] && printf '%s' "$pid"
}

stop() {
  local pid
  pid=$(server_pid) || return 0
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 400); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

wait_for_server() {
  for _ in $(seq 200); do
    [[ -r $DATA/run/server.json ]] && return
    kill -0 "$1" 2>/dev/null || break
    sleep 0.1
  done
  cat "$DATA/run/server.log" >&2
  printf 'The server did not start; see above.\n' >&2
  exit 1
}

# The findings as a table: slip number, code, subject, how they differ.
findings_table() {
  python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
rows.sort(key=lambda row: (row["slip_number"], row["code"], row["subject"]))
head = ("slip number", "finding", "subject", "how they differ")
cells = [head] + [(r["slip_number"], r["code"], r["subject"], r.get("difference") or r.get("reason") or "") for r in rows]
widths = [max(len(row[i]) for row in cells) for i in range(4)]
for row in cells:
    print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
slips = {row["slip_number"] for row in rows}
print(f"{len(rows)} findings on {len(slips)} case files")
'
}

start() {
  local started=$SECONDS server
  title "Build"
  tools/setup/build.sh "$PROFILE"
  tools/setup/setup.sh models "$GUIDANG"

  title "An empty archive in demo-data"
  stop
  rm -rf "$DATA"
  run init
  "$GUIDANG" serve --sign-in-link >"$DATA/run/server.out" 2>"$DATA/run/server.log" &
  server=$!
  disown
  wait_for_server "$server"
  cat "$DATA/run/server.out"

  title "What was typed at the counters"
  run import entries samples/entries.csv

  title "What the outlets sent"
  run ingest --wait samples/scans

  title "What does not agree"
  "$GUIDANG" export findings --format jsonl | findings_table

  title "Found again"
  search_all

  title "Nothing lost, nothing wrong"
  run verify

  printf '\nDone in %d s. The server goes on at http://%s\n' $((SECONDS - started)) "$GUIDANG_SERVER__LISTEN"
  grep -m1 'Console' "$DATA/run/server.out" || true
  printf 'Stop it with: make demo-stop    Look further with: guidang --data demo-data search, show, tray, jobs …\n'
}

# What a person remembers of the first sample: the end of a number, a name, an outlet and a month, a street.
search_all() {
  local first=() field
  while IFS= read -r field; do first+=("$field"); done < <(python3 -c '
import csv
with open("samples/entries.csv", encoding="utf-8-sig", newline="") as file:
    row = next(csv.DictReader(file))
day = row["受理日期"]
print(row["业务号码"].split()[0][-4:], row["客户名称"], row["受理网点编码"], day[:8] + "01", day[:8] + "28", row["证件地址"][6:8], sep="\n")
')
  run search --phone "*${first[0]}"
  run search --name "${first[1]}"
  run search --outlet "${first[2]}" --from "${first[3]}" --to "${first[4]}" --count
  run search --address "${first[5]}" --count
}

case ${1:-start} in
  start) start ;;
  stop) stop && printf 'The demonstration is stopped; its data are in demo-data.\n' ;;
  clean) stop && rm -rf "$DATA" && printf 'The demonstration is gone.\n' ;;
  *) printf 'usage: demo.sh [start | stop | clean]\n' >&2 && exit 2 ;;
esac
