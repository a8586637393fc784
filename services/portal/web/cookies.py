"""The cookies of the portal. None is read by a script, none goes to another site."""

import base64
import re
import secrets
from typing import Final

from aiohttp import web

from libs.common.languages import Language, language_of
from services.portal.web.visit import Theme

_ANCHOR_SECONDS: Final = 30 * 86_400
_WANTED_SECONDS: Final = 1_800
_PROGRAM_SECONDS: Final = 365 * 86_400
_SAID_SECONDS: Final = 60
_LONGEST: Final = 200
_OURS: Final = re.compile(r"/(?![/\\])[\x21-\x7e]*")
"""An address of our own: a path, never another host."""


class Cookies:
    """Reads and sets them.

    Args:
        secure: whether browsers come over TLS; only then a cookie can be bound to the host (`__Host-`).
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._prefix = "__Host-" if secure else ""

    def session(self, request: web.Request) -> str | None:
        """What names the session, if the browser has one."""
        return self._read(request, "session")

    def keep_session(self, answer: web.StreamResponse, cookie: str) -> None:
        # Until the browser is closed: a session of a shared machine does not wait for the next who sits there.
        self._set(answer, "session", cookie, None)

    def drop_session(self, answer: web.StreamResponse) -> None:
        self._drop(answer, "session")

    def staff_session(self, request: web.Request) -> str | None:
        """What names the session of somebody of staff; people may be both in one browser."""
        return self._read(request, "staff")

    def keep_staff_session(self, answer: web.StreamResponse, cookie: str) -> None:
        self._set(answer, "staff", cookie, None)

    def drop_staff_session(self, answer: web.StreamResponse) -> None:
        self._drop(answer, "staff")

    def anchor(self, request: web.Request) -> str:
        """The secret that forms are bound to, new where the browser has none."""
        return self._read(request, "form") or secrets.token_urlsafe(24)

    def keep_anchor(self, answer: web.StreamResponse, request: web.Request, anchor: str) -> None:
        if self._read(request, "form") != anchor:
            self._set(answer, "form", anchor, _ANCHOR_SECONDS)

    def wanted(self, request: web.Request) -> str:
        """Where somebody wanted to go before they were asked to sign in."""
        path = self._read(request, "wanted") or "/"
        return path if _OURS.fullmatch(path) else "/"

    def keep_wanted(self, answer: web.StreamResponse, path: str) -> None:
        if len(path) <= _LONGEST and _OURS.fullmatch(path):
            self._set(answer, "wanted", path, _WANTED_SECONDS)

    def drop_wanted(self, answer: web.StreamResponse) -> None:
        self._drop(answer, "wanted")

    def program(self, request: web.Request) -> str | None:
        """The program in which somebody signed in last."""
        return self._read(request, "program")

    def keep_program(self, answer: web.StreamResponse, program: str) -> None:
        self._set(answer, "program", program, _PROGRAM_SECONDS)

    def theme(self, request: web.Request) -> Theme:
        """Light or dark where it was chosen in this browser."""
        kept = self._read(request, "theme")
        return "light" if kept == "light" else "dark" if kept == "dark" else "device"

    def keep_theme(self, answer: web.StreamResponse, theme: Theme) -> None:
        self._set(answer, "theme", theme, _PROGRAM_SECONDS)

    def language(self, request: web.Request) -> Language | None:
        """The language that was chosen in this browser, for pages before somebody has signed in."""
        return language_of(self._read(request, "language"))

    def keep_language(self, answer: web.StreamResponse, language: Language) -> None:
        self._set(answer, "language", language.code, _PROGRAM_SECONDS)

    def said(self, request: web.Request) -> str | None:
        """What the last change has done, as a sentence for the next page."""
        kept = self._read(request, "said")
        try:
            return base64.urlsafe_b64decode(kept).decode() if kept else None
        except ValueError:
            return None

    def tell(self, answer: web.StreamResponse, sentence: str) -> None:
        """Have the next page say what was done."""
        self._set(answer, "said", base64.urlsafe_b64encode(sentence.encode()).decode(), _SAID_SECONDS)

    def drop_said(self, answer: web.StreamResponse) -> None:
        self._drop(answer, "said")

    def _read(self, request: web.Request, name: str) -> str | None:
        value = request.cookies.get(self._prefix + name)
        return value if value and len(value) <= 10 * _LONGEST else None

    def _set(self, answer: web.StreamResponse, name: str, value: str, seconds: int | None) -> None:
        answer.set_cookie(
            self._prefix + name,
            value,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )

    def _drop(self, answer: web.StreamResponse, name: str) -> None:
        answer.del_cookie(self._prefix + name, path="/", secure=self._secure, httponly=True, samesite="Lax")
