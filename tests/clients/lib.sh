# What tools and missing share. To be sourced by bash.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
# The name follows what it is made from: a changed lock makes another folder, and the old one can be deleted.
home=$root/.cache/clients-$(cat "$here/requirements.txt" "$here/package-lock.json" | sha256sum | cut -c1-12)

say() { printf 'clients: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# A folder that was filled to the end holds .complete.
installed() { [ -e "$home/.complete" ]; }

find_python() {
  local p
  for p in python3 python3.{14,13,12,11} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[1-9]*/bin/python3 "$(uv python find '>=3.11' 2>/dev/null)"; do
    if "$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$p"; return; fi
  done
  return 1
}
