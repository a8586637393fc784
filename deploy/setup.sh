#!/usr/bin/env bash
# Everything that `make run`, `make check` and `make bench` need, on a bare Debian or Ubuntu machine: the Python
# environment from the hashed lock files, the system's RabbitMQ and nginx, Pango and fonts for certificates;
# `deploy/setup.sh tests` also installs what only tests need. Safe to repeat: what is there is left alone, and when all is there this ends at once.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly VENV=.venv
readonly STAMP=$VENV/.certrail-setup
readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_SAVED=/usr/sbin/policy-rc.d.before-certrail
readonly NODE_TESTS=tests/node
readonly DRAWING=(libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-noto-core fonts-noto-cjk)
readonly PURPOSE=${1:-}
STEPS=6
if [ "$PURPOSE" = tests ]; then STEPS=9; fi
readonly STEPS

step=0
missing=()

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# begin WHAT: announces the next step.
begin() {
  step=$((step + 1))
  started=$SECONDS
  printf '[%d/%d] %s …\n' "$step" "$STEPS" "$1"
}
done_in() { printf '      %s (%d s)\n' "$1" "$((SECONDS - started))"; }

# Runs a command with output kept aside, and shows its end only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    tail -n 20 "$log" >&2
    rm -f "$log"
    return 1
  fi
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.11 python3.12 python3.13; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail "Python 3.11 or newer is needed and was not found; install it, or name it: PYTHON=/path/to/python3 make run"
}

# What the environment was made from; another value means making it again.
wanted() {
  { cat requirements/uv.txt requirements/dev.txt pyproject.toml; pwd; } | sha256sum | cut -d' ' -f1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    return 1
  fi
}

can_install() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }
}

apt_install() {
  local options=(-y -q --no-install-recommends -o DPkg::Lock::Timeout=120)
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install "${options[@]}" "$@"
}

# Installs packages whose services Debian would start on their default ports, without letting it, now or at boot.
apt_install_stopped() {
  forbid_starting
  local status=0
  quietly apt_install "$@" || status=$?
  allow_starting
  if [ "$status" = 0 ] && command -v systemctl >/dev/null; then
    quietly as_root systemctl disable "$@" || say "      note: could not keep $* from starting at boot"
  fi
  return "$status"
}

forbid_starting() {
  trap allow_starting EXIT
  if [ -e "$POLICY" ] && [ ! -e "$POLICY_SAVED" ]; then
    as_root mv "$POLICY" "$POLICY_SAVED"
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
}

allow_starting() {
  as_root rm -f "$POLICY"
  if [ -e "$POLICY_SAVED" ]; then
    as_root mv "$POLICY_SAVED" "$POLICY"
  fi
  trap - EXIT
}

for_tests() { [ "$PURPOSE" = tests ]; }
has_rabbitmq() { [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] && command -v epmd >/dev/null; }
has_nginx() { PATH=$PATH:/usr/sbin command -v nginx >/dev/null; }
has_environment() { [ -x $VENV/bin/certrail ] && [ "$(cat $STAMP 2>/dev/null)" = "$(wanted)" ]; }
has_drawing() {
  [ -e /usr/share/fonts/truetype/noto/NotoSans-Regular.ttf ] &&
    [ -e /usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc ] &&
    $VENV/bin/python -c 'import ctypes; [ctypes.CDLL(f"lib{name}") for name in
      ("pango-1.0.so.0", "pangoft2-1.0.so.0", "harfbuzz-subset.so.0", "fontconfig.so.1")]' 2>/dev/null
}
has_node() { command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; }
has_node_packages() { cmp -s $NODE_TESTS/package-lock.json $NODE_TESTS/node_modules/.certrail-lock; }
broker_given() { [ -n "${CERTRAIL_TEST_AMQP_ADMIN_URL:-}" ]; }
mongo_given() { [ -n "${CERTRAIL_TEST_MONGO_ADMIN_URL:-}" ]; }

make_environment() {
  local python
  python=$(find_python)
  if [ -x $VENV/bin/python ] && $VENV/bin/python -m pip --version >/dev/null 2>&1; then
    return
  fi
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_venv_module "$python"
  fi
  quietly "$python" -m venv $VENV || fail "$python -m venv failed"
}

# Debian ships Python without what makes environments.
install_venv_module() {
  local version
  version=$("$1" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  can_install || fail "$1 cannot make virtual environments; as root: apt-get install $version"
  quietly as_root apt-get update -q || say "      note: the package lists could not be refreshed"
  quietly apt_install "$version" || fail "apt-get install $version failed"
}

install_packages() {
  # A company's own certificate authority is known to the system, not to uv.
  local trust=()
  if [ -e /etc/ssl/certs/ca-certificates.crt ]; then trust=(--system-certs); fi
  if quietly $VENV/bin/python -m pip install -q --require-hashes -r requirements/uv.txt &&
    quietly $VENV/bin/uv pip install "${trust[@]}" -q --python $VENV/bin/python --require-hashes -r requirements/dev.txt; then
    done_in "with uv"
    return
  fi
  say "      uv could not do it; trying pip, which takes longer"
  quietly $VENV/bin/python -m pip install -q --require-hashes -r requirements/dev.txt ||
    fail "the Python packages of requirements/dev.txt could not be installed"
  done_in "with pip"
}

install_project() {
  quietly $VENV/bin/python -m pip install -q --no-deps --no-build-isolation --editable . ||
    fail "the project itself could not be installed into $VENV"
  done_in "$VENV/bin/certrail"
}

# install_server NAME PACKAGE WHAT-ITS-ABSENCE-MEANS
install_server() {
  if ! can_install; then
    missing+=("$1: $3 As root: apt-get install $2")
    done_in "not installed: that takes root or sudo"
  elif { quietly as_root apt-get update -q || say "      note: the package lists could not be refreshed"; } &&
    apt_install_stopped "$2"; then
    done_in "installed"
  else
    missing+=("$1: $3 apt-get install $2 failed, see above.")
    done_in "could not be installed"
  fi
}

set_up_environment() {
  begin "Python environment in $VENV"
  make_environment
  done_in "$($VENV/bin/python --version)"
  begin "Python packages, by hash (requirements/dev.txt; with MongoDB's server, about 600 MB)"
  install_packages
  begin "Certrail itself, editable"
  install_project
  wanted >$STAMP
}

set_up_servers() {
  step=3
  begin "RabbitMQ"
  if has_rabbitmq; then
    done_in "already there"
  elif broker_given; then
    done_in "not needed: CERTRAIL_TEST_AMQP_ADMIN_URL names one"
  else
    install_server RabbitMQ rabbitmq-server "the platform cannot run here; the tests need Docker instead."
  fi
  begin "nginx"
  if has_nginx; then
    done_in "already there"
  else
    install_server nginx nginx "there will be no gateway, so no single address for the APIs."
  fi
}

# What draws certificates. Without it the platform runs all the same, and says that it cannot draw.
set_up_drawing() {
  begin "Pango and fonts for certificates (about 170 MB)"
  if has_drawing; then
    done_in "already there"
  elif ! can_install; then
    missing+=("Certificates: they cannot be drawn here; all else works. As root: apt-get install ${DRAWING[*]}")
    done_in "not installed: that takes root or sudo"
  elif { quietly as_root apt-get update -q || say "      note: the package lists could not be refreshed"; } &&
    quietly apt_install "${DRAWING[@]}" && has_drawing; then
    done_in "installed"
  else
    missing+=("Certificates: they cannot be drawn here; all else works. apt-get install ${DRAWING[*]} failed, see
    above.")
    done_in "could not be installed"
  fi
}

# Other people's programs that tests hold ours against. Nothing that runs the platform needs them.
set_up_node_packages() {
  begin "Packages of Node.js for the tests ($NODE_TESTS)"
  if has_node_packages; then
    done_in "already there"
  elif ! has_node && ! { can_install && quietly apt_install nodejs npm && has_node; }; then
    missing+=("Node.js: the tests against an OpenID provider and other readers of ours are left out. As root: apt-get
    install nodejs npm")
    done_in "not installed: there is no Node.js 18 or newer"
  elif quietly npm ci --prefix $NODE_TESTS --no-audit --no-fund --ignore-scripts; then
    cp $NODE_TESTS/package-lock.json $NODE_TESTS/node_modules/.certrail-lock
    done_in "installed"
  else
    missing+=("Node.js packages: npm ci in $NODE_TESTS failed, see above; tests that need them are left out.")
    done_in "could not be installed"
  fi
}

# A browser for the tests of pages; people bring their own.
has_browser() { command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null; }

set_up_browser() {
  begin "Chromium for the tests of pages"
  if has_browser; then
    done_in "already there"
  elif can_install && { quietly apt_install chromium-headless-shell || quietly apt_install chromium; } && has_browser; then
    done_in "installed"
  else
    missing+=("Chromium: the tests of pages in a browser are left out. As root:
    apt-get install chromium-headless-shell")
    done_in "not installed"
  fi
}

# Prometheus' tool for rules, out of its package: nothing of the server is installed, and nothing starts. It is a package of
# its own from Debian 13 on, and part of the server's before.
has_promtool() { [ -x $VENV/bin/promtool ] || command -v promtool >/dev/null; }

set_up_promtool() {
  begin "promtool for the tests of alerts"
  if has_promtool; then
    done_in "already there"
  elif command -v apt-get >/dev/null && { quietly fetch_promtool || { can_install && quietly as_root apt-get update -q &&
    quietly fetch_promtool; }; }; then
    done_in "$VENV/bin/promtool"
  else
    missing+=("promtool: the tests of alerts are left out. As root: apt-get install prometheus
    (promtool, from Debian 13 on)")
    done_in "not there: its package could not be fetched"
  fi
}

fetch_promtool() {
  local folder package=prometheus status=0
  if apt-cache show promtool >/dev/null 2>&1; then package=promtool; fi
  folder=$(mktemp -d)
  { (cd "$folder" && apt-get download -q "$package") && dpkg -x "$folder/$package"_*.deb "$folder/unpacked" &&
    cp "$folder/unpacked/usr/bin/promtool" $VENV/bin/promtool; } || status=$?
  rm -rf "$folder"
  return "$status"
}

mongod_program() {
  command -v mongod || find $VENV/lib -path '*/fiftyone/db/bin/mongod' -print -quit 2>/dev/null
}
has_mongod() {
  local mongod
  mongod=$(mongod_program) && [ -n "$mongod" ] && "$mongod" --version >/dev/null 2>&1
}

check_mongod() {
  if has_mongod; then
    return
  fi
  if [ -z "$(mongod_program)" ]; then
    missing+=("MongoDB: no server for this kind of machine; put a mongod on the PATH, or use Docker.")
  # The server that comes with the Python packages uses the system's libcurl.
  elif ! can_install || ! quietly apt_install libcurl4 || ! has_mongod; then
    missing+=("MongoDB: its server does not start; as root: apt-get install libcurl4. Until then the platform
    cannot run here, and the tests need CERTRAIL_TEST_MONGO_ADMIN_URL.")
  fi
}

report() {
  if [ ${#missing[@]} = 0 ]; then
    say "Everything is in place ($SECONDS s)."
    return
  fi
  say "In place, except:"
  printf '  - %s\n' "${missing[@]}"
}

main() {
  if has_environment && { has_mongod || mongo_given; } && { has_rabbitmq || broker_given; } && has_nginx && has_drawing &&
    { ! for_tests || { has_node_packages && has_browser && has_promtool; }; }; then
    return
  fi
  has_environment || set_up_environment
  set_up_servers
  set_up_drawing
  if for_tests; then
    set_up_node_packages
    set_up_browser
    set_up_promtool
  fi
  mongo_given || check_mongod
  report
}

main
