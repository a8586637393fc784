"""Access tokens: what they say, signed with the key whose time it is."""

from datetime import timedelta

from libs.common.clock import Clock
from libs.common.http.principal import Kind, Principal
from libs.common.http.scopes import CANDIDATE
from libs.common.http.tokens import sign
from libs.common.ids import new_id
from libs.common.mongo.client import Document
from services.identity.signing.keys import SigningKeys

TOKEN_LASTS = timedelta(minutes=15)


class Tokens:
    """Signs access tokens."""

    def __init__(self, keys: SigningKeys, *, issuer: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._clock = clock

    async def of_session(self, session: Document) -> str:
        """A token for the candidate whose session it is."""
        return await self.of(
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

    async def of(self, principal: Principal) -> str:
        """A token for whoever has proved to be this."""
        return sign(
            principal,
            await self._keys.signing(),
            issuer=self._issuer,
            token_id=new_id(),
            now=self._clock.now(),
            lifetime=TOKEN_LASTS,
        )
