#!/usr/bin/env bash
# Runs every measurement of bench/src/bin in turn, those that grow with the archive at two sizes, and keeps the
# output. usage: bench.sh [SIZE …], by default 100000 and 1000000 case files.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly LOG=.cache/bench.md
sizes=("${@:-100000}")
(($#)) || sizes=(100000 1000000)

# The readers we are measured beside.
.cache/venv/bin/python -m pip install --quiet --disable-pip-version-check -r tools/setup/bench-requirements.txt
cargo build --release --package archive-bench --bins

# A store of its own for the measurement of objects; it ends with this script.
export AWS_ACCESS_KEY_ID=guidang-bench AWS_SECRET_ACCESS_KEY=only-for-measuring
coproc SEAWEED { tools/setup/seaweed.sh; }
read -r endpoint <&"${SEAWEED[0]}"
read -r master <&"${SEAWEED[0]}"
until printf 's3.bucket.create -name bench\n' | .cache/venv/bin/weed shell -master="$master" 2>&1 | grep -q 'created bucket'; do
  sleep 1
done

mkdir -p .cache
: >"$LOG"
for source in bench/src/bin/*.rs; do
  name=$(basename "$source" .rs)
  # This one reads labelled pages for tools/score/pages.py and measures nothing.
  if [[ $name == pages ]]; then continue; fi
  if grep -q '"--cases"' "$source"; then runs=("${sizes[@]/#/--cases }"); else runs=(""); fi
  if [[ $name == objects ]]; then runs=("--endpoint $endpoint --bucket bench"); fi
  if [[ $name == reading ]]; then runs=("--beside .cache/venv/bin/python"); fi
  if [[ $name == pipeline ]]; then runs=("--distributed true"); fi
  for arguments in "${runs[@]}"; do
    printf '\n## %s %s\n\n' "$name" "$arguments" | tee -a "$LOG"
    # The arguments are words of ours, to be split.
    # shellcheck disable=SC2086
    "target/release/$name" $arguments | tee -a "$LOG"
  done
done
printf '\nFigures are in %s\n' "$LOG"
