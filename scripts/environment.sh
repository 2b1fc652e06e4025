# Sourced by the scripts beside it: virtual environments and system packages, on Debian and its relatives.

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# Run a command with administrator rights.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this needs administrator rights and there is no sudo; as root, run: $*"
  fi
}

# Install system packages through apt-get.
install_packages() {
  command -v apt-get >/dev/null 2>&1 ||
    die "apt-get is not here; install what corresponds to these Debian packages, then run this again: $*"
  say "installing with apt-get: $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

# Print the first Python of at least 3.11.
find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null 2>&1 &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  die "Python 3.11 or newer was not found; on Debian 12 or later: apt-get install python3"
}

# Make a virtual environment at $1 unless a working one is there. Debian keeps what that takes in a package of its own.
make_environment() {
  local directory=$1 python
  if [ -x "$directory/bin/python" ] && "$directory/bin/python" -m pip --version >/dev/null 2>&1; then
    return
  fi
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    if [ "$python" = python3 ]; then
      install_packages python3-venv
    else
      install_packages "$python-venv"
    fi
  fi
  say "making a virtual environment in $directory"
  "$python" -m venv --clear "$directory"
}
