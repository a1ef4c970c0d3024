#!/usr/bin/env bash
# Gets a machine ready to build, test and run: Debian packages, a Python environment, recognition models.
# Says what it does, does nothing twice, and says what to install where it may not.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly CACHE=.cache
readonly VENV=$CACHE/venv
readonly PACKAGES=(build-essential pkg-config clang libclang-dev libtesseract-dev libleptonica-dev
  tesseract-ocr-chi-sim fonts-noto-cjk postgresql rabbitmq-server libfaketime openssl python3-venv)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

missing_packages() {
  local package
  for package in "${PACKAGES[@]}"; do
    # A Python that came another way brings venv along.
    if [[ $package == python3-venv ]] && python3 -c 'import venv, ensurepip' 2>/dev/null; then continue; fi
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf '%s\n' "$package"
  done
}

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

install_packages() {
  command -v dpkg-query >/dev/null || { say "this is no Debian: see that there are ${PACKAGES[*]}, or what they are called here"; return; }
  local missing
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0
  say "installing Debian packages: ${missing[*]}"
  if [[ $(id -u) != 0 ]] && ! sudo -n true 2>/dev/null; then
    fail "please run: sudo apt-get install --yes --no-install-recommends ${missing[*]}"
  fi
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 --quiet=2)
  as_root "${apt[@]}" update
  as_root "${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null
}

check_rust() {
  command -v cargo >/dev/null || fail "there is no cargo: install rustup; the pinned toolchain follows by itself"
  cargo --version >/dev/null || fail "the toolchain named in rust-toolchain.toml cannot be installed"
}

make_venv() {
  local wanted
  wanted=$(cat tools/setup/requirements.txt; python3 --version)
  [[ -x $VENV/bin/python && $(cat "$VENV/made-of" 2>/dev/null) == "$wanted" ]] && return
  say "making the Python environment $VENV"
  rm -rf "$VENV"
  python3 -m venv "$VENV"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -r tools/setup/requirements.txt
  printf '%s' "$wanted" >"$VENV/made-of"
}

# The program checks every file against its pinned digest; here it is only asked whether it is content.
install_models() {
  local program=$1
  "$program" models status >/dev/null 2>&1 && return
  say "installing recognition models (about 75 MB)"
  "$program" models install --python "$PWD/$VENV/bin/python"
}

case ${1:-all} in
  all)
    install_packages
    check_rust
    make_venv
    say "ready"
    ;;
  models) install_models "$2" ;;
  *) fail "usage: setup.sh [all | models PROGRAM]" ;;
esac
