#!/usr/bin/env bash
# Builds the program. The tests build the whole workspace, so their profile is built that way and nothing twice.
# usage: build.sh release|dev
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-release} in
  release) cargo build --release --package guidang ;;
  dev) cargo build --workspace --bins --features guidang/failpoints ;;
  *) printf 'usage: build.sh release|dev\n' >&2; exit 2 ;;
esac
