"""What the platform runs beside its servers: the services on the bus, and the portal, which only asks them."""

from typing import Final

from libs.common.events import SERVICES

PORTAL: Final = "portal"
APPS: Final = (*SERVICES, PORTAL)
