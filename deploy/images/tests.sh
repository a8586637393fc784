#!/usr/bin/env bash
# Runs the tests of what is committed on another system than this one, as on a bare machine of it: an image with Python
# of a Debian whose RabbitMQ is taken, too. Takes some minutes longer than `make test`.
#   deploy/images/tests.sh                                         Debian 13: Python 3.13, RabbitMQ 4.0
#   deploy/images/tests.sh python:3.11-slim-bookworm               another image
#   deploy/images/tests.sh python:3.13-slim-trixie tests/service   some of the tests, or anything else that pytest takes
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

image=${1:-python:3.13-slim-trixie}
arguments=${*:2}

readonly INSIDE='
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
apt-get install -y -q --no-install-recommends ca-certificates curl git make openssl procps >/dev/null
git clone -q /source /certrail
cd /certrail
export PYTHON=$(command -v python3)
make --no-print-directory setup SETUP_FOR=tests
echo "$($PYTHON --version), RabbitMQ $(dpkg-query --show --showformat="\${Version}" rabbitmq-server)"
exec make --no-print-directory test ARGS="$ARGUMENTS"
'

# Chromium keeps pages in shared memory, of which a container has little; orphans of killed processes want a parent.
exec docker run --rm --init --shm-size 1g --volume "$PWD":/source:ro \
  --env ARGUMENTS="$arguments" \
  --env CERTRAIL_TEST_NODE_REQUIRED=1 --env CERTRAIL_TEST_BROWSER_REQUIRED=1 --env CERTRAIL_TEST_PROMTOOL_REQUIRED=1 \
  "$image" bash -c "$INSIDE"
