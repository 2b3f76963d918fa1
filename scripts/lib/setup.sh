# What every door needs: where the project is, Debian packages, a Swift toolchain, a Python
# environment. Sourced, not run. Each step looks first and does nothing that is done already.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root"

# Libraries we link, the tools that make generated code, and what Swift itself needs to run and
# to link.
debian_packages=(
  build-essential ca-certificates git libcurl4-openssl-dev libedit2 liblua5.4-dev libncurses6
  libprotobuf-c-dev libprotobuf-dev libsqlite3-dev libxml2-dev pkg-config protobuf-c-compiler
  protobuf-compiler python3 python3-venv tzdata zlib1g-dev
)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $1"
  [ $# -gt 1 ] && say "hint: $2"
  exit 1
}

# Runs a command as root: directly, or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "Debian packages are missing, and you are neither root nor is there sudo" \
      "as root: apt-get install ${missing[*]}"
  fi
}

need_packages() {
  command -v dpkg-query >/dev/null || die "this is not Debian" "Atlas builds on Debian 12 and 13"
  missing=()
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  say "installing Debian packages: ${missing[*]}"
  as_root apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

need_swift() {
  command -v swift >/dev/null ||
    die "there is no Swift toolchain" "install Swift 6.2 or newer from swift.org and put it on PATH"
  local version
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  case "$version" in
    6.[2-9]* | 6.[1-9][0-9]* | [7-9].*) ;;
    *) die "Swift ${version:-of unknown version} is too old" "Atlas needs Swift 6.2 or newer" ;;
  esac
}

# A Python environment of the project's own, with the packages named.
need_python() {
  [ -x .venv/bin/python ] || python3 -m venv .venv
  local wanted="$*"
  [ "$(cat .venv/atlas-packages 2>/dev/null)" = "$wanted" ] && return
  say "installing Python packages: $wanted"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
  printf '%s' "$wanted" >.venv/atlas-packages
}

# Independent implementations that tests compare ours with, and the linter of the protos.
python_packages=(buf-bin grpcio grpcio-health-checking grpcio-reflection protobuf)

need_all() {
  need_packages "${debian_packages[@]}"
  need_swift
}

# Builds one program. Quiet, unless it takes long or fails.
build() {
  local log
  log=$(mktemp)
  [ -x ".build/$1/$2" ] || say "building $2 ($1); the first build takes about ten minutes"
  if ! swift build -c "$1" --product "$2" >"$log" 2>&1; then
    grep -E 'error:' "$log" >&2 || tail -n 20 "$log" >&2
    rm -f "$log"
    die "$2 does not build"
  fi
  rm -f "$log"
}
