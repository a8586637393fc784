#!/bin/sh
# Starts the image's service. Settings come from the environment; passwords may come from a file of assignments
# instead, so that they show neither in the container's description nor in the compose file.
set -eu
if [ -n "${CERTRAIL_ENVIRONMENT_FILE:-}" ]; then
  set -a
  . "$CERTRAIL_ENVIRONMENT_FILE"
  set +a
fi
exec python -m "services.$CERTRAIL_SERVICE" "$@"
