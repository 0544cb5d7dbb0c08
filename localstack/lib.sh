# What up, down and missing share. To be sourced by bash.

image=localstack/localstack:4.14.0
port=${LOCALSTACK_PORT:-4566}
endpoint=http://127.0.0.1:$port
dynamodb_port=$((port + 1)) # of DynamoDB Local itself
container=durable-lambda-localstack-$port

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cache=$(dirname "$here")/.cache/localstack
run=$cache/run-$port

say() { printf 'localstack: %s\n' "$*"; }
die() { printf 'localstack: %s\n' "$*" >&2; exit 1; }

# docker or host
mode() {
  if [ -n "${LOCALSTACK_MODE:-}" ]; then echo "$LOCALSTACK_MODE"
  elif docker_answers; then echo docker
  else echo host; fi
}

docker_answers() { command -v docker >/dev/null && docker info >/dev/null 2>&1; }

healthy() { curl -fsS -m 5 -o /dev/null "$endpoint/_localstack/health" 2>/dev/null; }

hash_of() { cat "$@" | sha256sum | cut -c1-12; }

# The names follow what they are made from: a changed lock makes another environment, and the old one can be deleted.
venv_dir() { echo "$cache/venv-$(hash_of "$here/requirements.txt" "$here"/executor/pyproject.toml "$here"/executor/process_executor/*.py)"; }
jars_dir() { echo "$cache/dynamodb-$(hash_of "$here/dynamodb/pom.xml" "$here/dynamodb/LoopbackServer.java")"; }

# A folder that was filled to the end holds .complete.
complete() { [ -e "$1/.complete" ]; }

find_python() {
  local p
  for p in python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python3 "$(uv python find 3.13 2>/dev/null)"; do
    if "$p" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then echo "$p"; return; fi
  done
  return 1
}

find_java_home() {
  local home
  for home in "${JAVA_HOME:-}" "$(command -v java >/dev/null && dirname "$(dirname "$(readlink -f "$(command -v java)")")")" /usr/lib/jvm/*; do
    if [ -n "$home" ] && [ -x "$home/bin/javac" ] && [ "$(java_version "$home/bin/java")" -ge 17 ]; then echo "$home"; return; fi
  done
  return 1
}

java_version() { "$1" -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java\.specification\.version = \([0-9]*\).*/\1/p' | grep . || echo 0; }

# The processes of the LocalStack of this run directory, one id a line: LocalStack itself, and DynamoDB Local and the
# functions, which have process groups of their own. Going by what they run and not only by a saved id, this also finds
# what a killed LocalStack left behind, and never a stranger that was given the saved id.
processes() {
  ps -eo pid=,pgid=,args= | awk -v group="$(cat "$run/pid" 2>/dev/null || echo none)" -v cache="$cache/" -v run="$run/" '
    $2 == group && index($3, cache) == 1 { print $1; next }
    index($3, run) == 1 { print $1; next }
    $3 ~ /(^|\/)java$/ && index($0, "-javaagent:" run) { print $1 }'
}
