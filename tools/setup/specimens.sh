#!/usr/bin/env bash
# Makes a set of labelled cases with tools/specimens, in a Python environment and font folder of their own.
# usage: specimens.sh SPLIT CASES OUT [SIGNATURES]
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly HERE=.cache/specimens
readonly FONTS=(fonts-noto-cjk fonts-noto-cjk-extra fonts-arphic-uming fonts-arphic-ukai fonts-arphic-gbsn00lp
  fonts-arphic-gkai00mp fonts-wqy-zenhei fonts-wqy-microhei fonts-droid-fallback fonts-cns11643-kai fonts-lxgw-wenkai
  fonts-noto-core fonts-smiley-sans fonts-ocr-b fonts-liberation2 fonts-courier-prime)

split=$1 cases=$2 out=$3 signatures=${4:-}
[[ -n $out ]] || { printf 'usage: make specimens OUT=dir [SPLIT=train|tune|test|eval] [CASES=60] [SIGNATURES=dir]\n' >&2; exit 2; }

missing=()
for font in "${FONTS[@]}"; do
  dpkg-query -W -f='${Status}' "$font" 2>/dev/null | grep -q 'ok installed' || missing+=("$font")
done
if ((${#missing[@]})); then
  printf 'specimens: installing fonts: %s\n' "${missing[*]}"
  prefix=()
  [[ $(id -u) == 0 ]] || prefix=(sudo -n)
  "${prefix[@]}" apt-get -o DPkg::Lock::Timeout=300 --quiet=2 update
  "${prefix[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 --quiet=2 install --yes \
    --no-install-recommends "${missing[@]}" >/dev/null ||
    { printf 'specimens: please install: %s\n' "${missing[*]}" >&2; exit 1; }
fi

mkdir -p "$HERE"
if [[ $(cat "$HERE/made-of" 2>/dev/null) != "$(cat tools/specimens/requirements.txt)" ]]; then
  printf 'specimens: making the Python environment %s\n' "$HERE/venv"
  python3 -m venv --clear "$HERE/venv"
  "$HERE/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tools/specimens/requirements.txt
  cp tools/specimens/requirements.txt "$HERE/made-of"
fi
if ! cmp --silent tools/specimens/package.json "$HERE/npm/package.json"; then
  printf 'specimens: fetching handwriting fonts\n'
  mkdir -p "$HERE/npm"
  cp tools/specimens/package.json "$HERE/npm/package.json"
  npm --prefix "$HERE/npm" install --silent --no-audit --no-fund
fi

out=$(realpath -m "$out")
extra=()
[[ -z $signatures ]] || extra=(--signatures "$(realpath "$signatures")")
export SPECIMEN_NPM=$PWD/$HERE/npm/node_modules
exec "$HERE/venv/bin/python" tools/specimens/generate.py --split "$split" --cases "$cases" --out "$out" \
  --regions domain/rules/regions.csv --jobs "$(nproc)" "${extra[@]}"
