# What tools, missing and lint share. To be sourced by bash.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(dirname "$here")
# The name follows what it is made from: a changed lock makes another environment, and the old one can be deleted.
venv=$root/.cache/infra-tools-$(sha256sum <"$here/requirements.txt" | cut -c1-12)

say() { printf 'infra: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }

# An environment that was filled to the end holds .complete.
installed() { [ -e "$venv/.complete" ]; }

find_python() {
  local p
  for p in python3 python3.{14,13,12,11,10} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[0-9]*/bin/python3 "$(uv python find '>=3.10' 2>/dev/null)"; do
    if "$p" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then echo "$p"; return; fi
  done
  return 1
}
