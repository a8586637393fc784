#!/bin/sh
# The operator's command line, without an installed distribution.
exec python -c 'from deploy.cli.main import main; main()' "$@"
