"""The providers of all programs, each with what is known of it."""

from collections.abc import Mapping

from libs.common.clock import Clock
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.programs import OpenIdProvider, Program
from services.identity.openid.problems import provider_away
from services.identity.openid.provider import Provider


class Providers:
    """Finds a program's provider."""

    def __init__(
        self, programs: Mapping[str, Program], secrets: Mapping[str, str], sign_in_url: str, clock: Clock
    ) -> None:
        """Raises `ValueError` where a program has a provider and no secret for it."""
        self._programs = programs
        self._secrets = secrets
        self._sign_in_url = sign_in_url.rstrip("/")
        self._clock = clock
        self._known: dict[str, Provider] = {}
        for program in programs.values():
            if program.sign_in.openid is not None and program.id not in secrets:
                raise ValueError(f"CERTRAIL_OPENID_SECRETS_FILE: holds no secret for the provider of {program.id}")

    def of(self, program: str) -> Provider:
        """The provider of a program as its definition has it now. Raises `not-found` where it has none."""
        found = self._programs.get(program)
        given = found.sign_in.openid if found else None
        if given is None:
            raise Problem(NOT_FOUND)
        known = self._known.get(program)
        if known is None or known.given != given:
            known = self._known[program] = self._made(program, given)
        return known

    def _made(self, program: str, given: OpenIdProvider) -> Provider:
        secret = self._secrets.get(program)
        if secret is None:
            raise provider_away("is not set up yet")
        # A return address for each program tells providers apart that do not say who they are (RFC 9700, 4.4.2).
        return Provider(given, secret, f"{self._sign_in_url}/{program}", self._clock)
