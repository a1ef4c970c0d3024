#!/usr/bin/env bash
# Runs a SeaweedFS (S3) of its own on private ports until its standard input ends, then stops it and removes its data.
# Prints two lines when it listens: where S3 answers, and the address of the master. Key and secret come in
# AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. For tests and measurements only.
set -euo pipefail
cd "$(dirname "$0")/../.."

readonly WEED=$PWD/.cache/venv/bin/weed
readonly PATIENCE_SECONDS=60
[[ -x $WEED ]] || { printf 'seaweed: SeaweedFS is not installed; run make setup\n' >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/guidang-seaweed-XXXXXX")
server=
stop() {
  if [[ -n $server ]]; then
    # Nothing of it is kept, so nothing need be finished.
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  server=
}
trap 'stop; rm -rf "$folder"' EXIT

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Four ports, below the range from which the system hands out its own; those 10000 above are for gRPC.
choose_ports() {
  ports=()
  local port
  while ((${#ports[@]} < 4)); do
    port=$((12000 + RANDOM % 10000))
    if [[ " ${ports[*]} " != *" $port "* ]] && ! answers "$port" && ! answers $((port + 10000)); then
      ports+=("$port")
    fi
  done
}

start() {
  choose_ports
  rm -rf "$folder/data"
  mkdir "$folder/data"
  # Without a key of its own the store refuses to encrypt.
  local own_key
  own_key=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
  env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY WEED_S3_SSE_KEY="$own_key" "$WEED" server -dir="$folder/data" \
    -ip=127.0.0.1 -ip.bind=127.0.0.1 -master.port="${ports[0]}" -volume.port="${ports[1]}" -filer \
    -filer.port="${ports[2]}" -s3 -s3.port="${ports[3]}" -s3.port.iceberg=0 -s3.port.lance=0 \
    -s3.config="$folder/s3.json" -master.volumeSizeLimitMB=100 -volume.max=0 >"$folder/log" 2>&1 &
  server=$!
  local deadline=$((SECONDS + PATIENCE_SECONDS))
  while ((SECONDS < deadline)); do
    answers "${ports[3]}" && return 0
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  printf 'seaweed: it did not start on ports %s; the end of its log:\n' "${ports[*]}" >&2
  tail -n 5 "$folder/log" >&2
  stop
  return 1
}

printf '{"identities":[{"name":"guidang","credentials":[{"accessKey":"%s","secretKey":"%s"}],"actions":["Admin","Read","Write","List","Tagging"]}]}' \
  "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$folder/s3.json"
# A port may have been taken between the look and the start.
start || start || start
# In one piece: the shell by itself writes line by line, and a reader of one line may be gone for the second.
printf 'http://127.0.0.1:%s\n127.0.0.1:%s\n' "${ports[3]}" "${ports[0]}" | cat
# Whoever started this holds the other end; when they end, however they end, so does this.
cat >/dev/null
