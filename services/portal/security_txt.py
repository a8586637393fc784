"""Whom to tell of a weakness (RFC 9116)."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from aiohttp import web
from prometheus_client import Gauge

from services.portal.settings import PortalSettings

PATH: Final = "/.well-known/security.txt"

EXPIRES: Final = Gauge(
    "certrail_security_contact_expiry_timestamp_seconds",
    "When security.txt expires, in seconds since 1970; 0 where there is none",
)


class SecurityTxt:
    """The handler of `/.well-known/security.txt`; there is none where no contact is set."""

    def __init__(self, settings: PortalSettings) -> None:
        self._text: str | None = None
        EXPIRES.set(0)
        if settings.security_contact is not None and settings.security_contact_until is not None:
            expires = datetime.combine(settings.security_contact_until + timedelta(days=1), time(), UTC)
            EXPIRES.set(expires.timestamp())
            self._text = (
                f"Contact: {settings.security_contact}\r\n"
                f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}\r\n"
                "Preferred-Languages: en\r\n"
                f"Canonical: {settings.public_url.rstrip('/')}{PATH}\r\n"
            )

    def routes(self) -> list[web.RouteDef]:
        return [web.get(PATH, self.show)]

    async def show(self, _request: web.Request) -> web.Response:
        if self._text is None:
            raise web.HTTPNotFound
        return web.Response(text=self._text, content_type="text/plain", charset="utf-8")
