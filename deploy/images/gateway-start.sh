#!/bin/sh
# Runs before nginx. nginx looks its upstreams up once; containers that are replaced or added get other addresses.
# So their names are watched from here on, and a change makes nginx read its configuration again.
set -eu

readonly EVERY_SECONDS=5

cp /srv/gateway/*.conf "$RUN_DIR/"

# lines FORMAT NETWORK...: a line for each; networks are parted by spaces
lines() { form=$1; shift; for network in "$@"; do printf "$form\n" "$network"; done; }

# shellcheck disable=SC2086
{
  lines 'set_real_ip_from %s;' $TRUSTED_PROXIES >"$RUN_DIR/proxies.conf"
  lines '%s 1;' $TRUSTED_PROXIES >"$RUN_DIR/proxies.geo"
  lines '%s 1;' $UNLIMITED >"$RUN_DIR/unlimited.geo"
}

addresses() {
  for upstream in "$IDENTITY_UPSTREAM" "$EXAMS_UPSTREAM" "$CERTS_UPSTREAM" "$FULFILLMENT_UPSTREAM" "$NOTIFY_UPSTREAM" \
    "$PORTAL_UPSTREAM"; do
    getent ahostsv4 "${upstream%:*}" | cut -d' ' -f1 | sort -u || true
  done
}

known=$(addresses)
while sleep "$EVERY_SECONDS"; do
  found=$(addresses)
  if [ -n "$found" ] && [ "$found" != "$known" ] && [ -s "$RUN_DIR/nginx.pid" ]; then
    # Where a service is away for the moment, nginx refuses and keeps what it has: the next look tries again.
    nginx -t -q -c "$RUN_DIR/nginx.conf" -e stderr && kill -HUP "$(cat "$RUN_DIR/nginx.pid")" && known=$found
  fi
done &
