#!/usr/bin/env bash
# Checks the images and the composed platform, under a project name, ports and data of its own:
#   deploy/images/check.sh            everything, about fifteen minutes on two cores
#   deploy/images/check.sh images     only what the images hold
# What it started is gone at the end, whatever happened.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export COMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME:-certrail-check}
export CERTRAIL_GATEWAY_PORT=${CERTRAIL_GATEWAY_PORT:-28080}
export CERTRAIL_AMQP_PORT=${CERTRAIL_AMQP_PORT:-25672}
export CERTRAIL_INBOX_PORT=${CERTRAIL_INBOX_PORT:-28025}
readonly GATEWAY=http://127.0.0.1:$CERTRAIL_GATEWAY_PORT
readonly SERVICES=(identity exams certs fulfillment notify)
readonly APPS=("${SERVICES[@]}" portal)
readonly DEVELOPMENT=(pytest mypy ruff hypothesis testcontainers importlinter fastapi faststream fiftyone)

failed=0
say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }
ok() { say "ok      $*"; }
bad() { failed=1; say "FAILED  $*"; }
# same WHAT FOUND WANTED
same() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: found '$2', wanted '$3'"; fi; }

in_image() { docker run --rm --network none --entrypoint sh "certrail/$1" -c "$2"; }
ps_field() { docker inspect --format "$2" "$(docker compose ps -q "$1" | head -n 1)"; }

importable() { # IMAGE MODULE...: those of the modules that the image's Python finds
  docker run --rm --network none --read-only --entrypoint python "certrail/$1" -c \
    'import sys; from importlib.util import find_spec; print(*(n for n in sys.argv[1:] if find_spec(n)))' "${@:2}"
}

# Whether every container that has a health check passes it in the end. One that has given up meanwhile and was started
# anew is no fault here: on a busy machine a database may not answer in time.
until_healthy() { # SECONDS
  local deadline=$((SECONDS + $1)) waiting=
  while [ "$SECONDS" -lt "$deadline" ]; do
    waiting=$(docker compose ps --all --format '{{.Service}} {{.Health}}' | grep -v ' $' | grep -v ' healthy$' || true)
    if [ -z "$waiting" ]; then return 0; fi
    sleep 3
  done
  say "still waiting: $(echo $waiting)"
  return 1
}

check_images() {
  local service
  for service in "${APPS[@]}"; do
    same "$service holds its own code only" \
      "$(in_image "$service" 'cd /app && find . -mindepth 1 -maxdepth 2 ! -name __pycache__ | LC_ALL=C sort | xargs')" \
      "./deploy ./deploy/programs ./deploy/vendors ./libs ./libs/__init__.py ./libs/common ./services ./services/__init__.py ./services/$service"
    same "$service knows no other service" \
      "$(importable "$service" $(printf 'services.%s ' "${APPS[@]}"))" "services.$service"
    same "$service has no development packages" "$(importable "$service" "${DEVELOPMENT[@]}")" ""
    same "$service runs as an ordinary user" "$(in_image "$service" 'id -u')" 10001
    same "$service cannot write to its code" "$(in_image "$service" 'find /app /opt/certrail -writable ! -type l | wc -l')" 0
    same "$service has a health check" \
      "$(docker image inspect --format '{{if .Config.Healthcheck}}yes{{end}}' "certrail/$service")" yes
  done
  same "certs can draw certificates, without a network and in memory only" \
    "$(docker run --rm --network none --read-only --tmpfs /tmp --entrypoint python certrail/certs -c \
      'from services.certs.certificates.rendering import lacking; print(lacking())')" None
  same "ops has no development packages and no tests" "$(importable ops "${DEVELOPMENT[@]}" tests)" ""
  same "gateway runs as an ordinary user" "$(in_image gateway 'id -u')" 101
}

check_walls() {
  local service
  for service in "${SERVICES[@]}"; do
    same "$service-worker has its own secrets only" \
      "$(docker compose exec -T "$service-worker" sh -c "grep -ohE '//[a-z]+:' /run/certrail/* | sort -u | xargs")" "//$service:"
    same "no password in the description of $service-worker" \
      "$(ps_field "$service-worker" '{{.Config.Env}}' | grep -cE '://[^ ]*:[^ ]*@|SECRET' || true)" 0
  done
  same "published ports are on the loopback interface" \
    "$(docker compose ps --format '{{.Ports}}' | tr ',' '\n' | grep -e '->' | grep -vcE '^ *127\.0\.0\.1:' || true)" 0
  same "no container of the platform may gain rights or runs without a limit" \
    "$(docker inspect --format '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{gt .HostConfig.Memory 0}}' \
      $(docker compose ps -q) | sort -u)" "true [ALL] [no-new-privileges:true] true"
  same "portal has its own secrets only" \
    "$(docker compose exec -T portal sh -c "grep -ohE '//[a-z]+:' /run/certrail/* | sort -u | xargs")" "//portal:"
  for service in "${SERVICES[@]}"; do
    same "$service-worker is on the internal network only" \
      "$(ps_field "$service-worker" '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}')" \
      "${COMPOSE_PROJECT_NAME}_platform "
  done
  same "the internal network leads nowhere else" \
    "$(docker network inspect --format '{{.Internal}}' "${COMPOSE_PROJECT_NAME}_platform")" true
}

check_gateway() {
  local service
  for service in "${SERVICES[@]}"; do
    same "gateway leads to $service" \
      "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY/api/$service/v1/openapi.json")" 200
  done
  same "gateway leads to the portal" "$(curl -sL -o /dev/null -w '%{http_code} %{content_type}' "$GATEWAY/")" "200 text/html; charset=utf-8"
  same "gateway has the guides" "$(curl -s "$GATEWAY/docs/" | grep -c '</html>')" 1
  same "gateway keeps metrics to itself" "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY/metrics")" 404
}

play() { # WHAT
  if docker compose run --rm -T sample python -m deploy.images.play_sample --any-order; then ok "$1"; else bad "$1"; fi
  same "nothing is parked" "$(docker compose run --rm -T certrail certrail parked list --json 2>/dev/null)" "[]"
  same "no mail twice" "$(curl -s "http://127.0.0.1:$CERTRAIL_INBOX_PORT/api/stats" | grep -oE '"repeated": *[0-9]+' | grep -oE '[0-9]+')" 0
}

# A replaced container has another address; the gateway must find it without being told.
check_replaced() {
  docker compose up -d --no-deps --force-recreate identity-api certs-api >/dev/null 2>&1 && until_healthy 300 ||
    bad "replaced containers start"
  local left=12
  until [ "$(curl -s -o /dev/null -w '%{http_code}' "$GATEWAY/api/certs/v1/openapi.json")" = 200 ] || [ $left = 0 ]; do
    left=$((left - 1))
    sleep 1
  done
  check_gateway
}

finish() {
  local status=$?
  if [ "$status" != 0 ] || [ "$failed" != 0 ]; then docker compose logs --tail 5 2>&1 | tail -n 80; fi
  docker compose --profile operator down -v --remove-orphans >/dev/null 2>&1
}

main() {
  docker info >/dev/null 2>&1 || { echo "Docker does not answer; nothing was checked" >&2; exit 2; }
  docker compose --profile operator build --quiet
  say "images built"
  check_images
  if [ "${1:-}" = images ]; then exit $failed; fi
  trap finish EXIT
  docker compose up -d 2>/dev/null && until_healthy 900 || { bad "the platform starts"; exit 1; }
  ok "the platform starts"
  check_walls
  check_gateway
  docker compose up -d --scale certs-worker=3 --scale notify-worker=2 2>/dev/null && until_healthy 300 ||
    bad "more workers start"
  same "three workers of certs run" "$(docker compose ps -q certs-worker | wc -l)" 3
  check_replaced
  play "the sample's numbers agree, with several workers"
  play "playing it again changes nothing"
  docker compose --profile operator down -v 2>/dev/null
  same "nothing is left" "$(docker volume ls -q --filter "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" | wc -l)" 0
  exit $failed
}

main "$@"
