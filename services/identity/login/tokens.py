"""Access tokens: who gets one, and what it says."""

import hmac
from collections.abc import Mapping
from datetime import timedelta

from joserfc.jwk import Key

from libs.common.clock import Clock
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import UNAUTHENTICATED, Problem
from libs.common.http.scopes import CANDIDATE, OPERATOR
from libs.common.http.tokens import sign
from libs.common.ids import new_id
from libs.common.mongo.client import Document
from libs.common.programs import Program

TOKEN_LASTS = timedelta(minutes=15)
OPERATOR_CLIENT = "operator"


class Tokens:
    """Signs access tokens."""

    def __init__(
        self,
        keys: list[Key],
        *,
        issuer: str,
        operator_secret: str | None,
        programs: Mapping[str, Program],
        clock: Clock,
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._operator_secret = operator_secret
        self._programs = programs
        self._clock = clock

    def public_keys(self) -> list[dict[str, object]]:
        """The keys that verify our tokens, as members of a JWK set (RFC 7517)."""
        return [{**key.as_dict(private=False), "use": "sig"} for key in self._keys]

    def of_client(self, client_id: str, secret: str) -> str:
        """A token for a system. Raises the problem `unauthenticated`."""
        expected = self._operator_secret
        known = client_id == OPERATOR_CLIENT and expected is not None
        if not hmac.compare_digest(secret.encode(), (expected or "").encode()) or not known:
            raise Problem(UNAUTHENTICATED, "unknown client or wrong secret")
        return self._sign(
            Principal(f"client:{client_id}", Kind.SYSTEM, programs=frozenset(self._programs), scopes=OPERATOR)
        )

    def of_session(self, session: Document) -> str:
        """A token for the candidate whose session it is."""
        return self._sign(
            Principal(
                f"candidate:{session['candidate_id']}",
                Kind.CANDIDATE,
                programs=frozenset({session["program"]}),
                scopes=CANDIDATE,
                candidate_id=session["candidate_id"],
                session_id=session["_id"],
                authenticated_at=session["authenticated_at"],
                acr=session["acr"],
            )
        )

    def _sign(self, principal: Principal) -> str:
        return sign(
            principal,
            self._keys[0],
            issuer=self._issuer,
            token_id=new_id(),
            now=self._clock.now(),
            lifetime=TOKEN_LASTS,
        )
