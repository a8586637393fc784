"""Which system is asking, and the secrets by which it proves that."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.common.clock import Clock, as_stored
from libs.common.http.principal import Kind, Principal
from libs.common.http.problems import CONFLICT, NOT_FOUND, Problem, ProblemType
from libs.common.http.scopes import OPERATOR
from libs.common.ids import new_id, new_secret
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.identity.store import token_key
from services.identity.systems.store import ClientStore

OPERATOR_CLIENT = "operator"

INVALID_CLIENT = ProblemType("invalid-client", "The client is unknown or its secret is wrong", 401, "invalid_client")
INVALID_SCOPE = ProblemType("invalid-scope", "The client may not have a scope that it asks for", 400, "invalid_scope")


@dataclass(frozen=True, slots=True)
class NewSecret:
    """A secret, shown once, and the system that it opens."""

    system: Document
    secret: str


class Clients:
    """Makes systems, changes their secrets, and tells by them who asks.

    A secret is 256 random bits, so a plain SHA-256 of it cannot be guessed backwards, and a slow hash would only let
    strangers spend our time.
    """

    def __init__(
        self, store: ClientStore, clock: Clock, *, operator_secret: str | None, programs: Mapping[str, Program]
    ) -> None:
        self._store = store
        self._clock = clock
        self._operator = None if operator_secret is None else token_key(operator_secret)
        self._programs = programs

    async def prove(self, client_id: str, secret: str, scope: str | None) -> Principal:
        """Who asks with a secret, with the scopes asked for, or all that it has where none are named (RFC 6749, 3.3).

        Raises the problems `invalid-client` and `invalid-scope`.
        """
        if client_id == OPERATOR_CLIENT:
            _require([self._operator] if self._operator else [], secret)
            return _holder(client_id, frozenset(self._programs), OPERATOR, scope)
        row, now = await self._store.find(client_id), self._clock.now()
        _require(_working(row, now), secret)
        if row is None:
            raise LookupError("a system that does not exist has a secret")
        holder = _holder(client_id, frozenset({row["program"]}), frozenset(row["scopes"]), scope)
        if row["last_used_on"] != now.date().isoformat():
            await self._store.note_use(client_id, now.date())
        return holder

    async def add(self, program: str, description: str, scopes: Sequence[str], *, by: str) -> NewSecret:
        """Make a system of a program."""
        secret, now = new_secret(), as_stored(self._clock.now())
        row = {
            "_id": new_id(),
            "program": program,
            "description": description,
            "scopes": sorted(set(scopes)),
            "secrets": [_kept(secret, now)],
            "created_at": now,
            "created_by": by,
            "last_used_on": None,
            "disabled_at": None,
        }
        await self._store.add(row)
        return NewSecret(row, secret)

    async def of_program(self, program: str) -> list[Document]:
        return await self._store.of_program(program)

    async def get(self, program: str, client_id: str) -> Document:
        """A system of a program. Raises the problem `not-found`."""
        row = await self._store.find(client_id)
        if row is None or row["program"] != program:
            raise Problem(NOT_FOUND)
        return row

    async def rotate(self, program: str, client_id: str, old_works_for: timedelta) -> NewSecret:
        """Give a system a new secret beside its newest one, which goes on for a while; older ones end.

        Raises the problems `not-found`, and `conflict` for one that is disabled or is being changed by somebody else.
        """
        row, now = await self.get(program, client_id), as_stored(self._clock.now())
        secret, until = new_secret(), now + old_works_for
        old = [{**kept, "valid_until": until} for kept in row["secrets"][-1:]]
        secrets = [*(old if old_works_for else []), _kept(secret, now)]
        if not await self._store.set_secrets(row, secrets):
            raise Problem(CONFLICT, "the system is disabled, or its secrets have just been changed")
        return NewSecret({**row, "secrets": secrets}, secret)

    async def disable(self, program: str, client_id: str) -> None:
        """End a system for good; its last access tokens run out by themselves. Raises the problem `not-found`."""
        if not await self._store.disable(program, client_id, as_stored(self._clock.now())):
            raise Problem(NOT_FOUND)


def _kept(secret: str, now: datetime) -> Document:
    return {"digest": token_key(secret), "made_at": now, "valid_until": None}


def _working(row: Document | None, now: datetime) -> list[str]:
    secrets = row["secrets"] if row else []
    return [kept["digest"] for kept in secrets if kept["valid_until"] is None or now < kept["valid_until"]]


def _require(digests: Sequence[str], secret: str) -> None:
    given = token_key(secret)
    # All are compared, in a time that does not depend on how much of them is right.
    if not sum(hmac.compare_digest(digest, given) for digest in digests):
        raise Problem(INVALID_CLIENT, headers={"WWW-Authenticate": 'Basic realm="certrail"'})


def _holder(client_id: str, programs: frozenset[str], granted: frozenset[str], scope: str | None) -> Principal:
    asked = granted if scope is None else frozenset(scope.split())
    if not asked or not asked <= granted:
        raise Problem(INVALID_SCOPE, f"it may have: {' '.join(sorted(granted))}")
    return Principal(f"client:{client_id}", Kind.SYSTEM, programs=programs, scopes=asked)
