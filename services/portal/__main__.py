"""Starts the portal."""

from services.portal.app import main

main()
