"""Every version of a program's policy that was ever in force, so that what was told under it can be derived again."""

from collections.abc import Mapping
from datetime import datetime

from libs.common.clock import Clock
from libs.common.errors import Unavailable, Unprocessable
from libs.common.http.principal import Principal
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.programs import Program, load_definition
from services.certs.store import CertsStore

Version = tuple[str, int]
"""Program and version of its definition."""


class Policies:
    """The policies in force, and those before them."""

    def __init__(self, store: CertsStore, programs: Mapping[str, Program], clock: Clock) -> None:
        self._store = store
        self._programs = programs
        self._clock = clock
        self._loaded: dict[Version, Program] = {}
        self._kept: set[Version] = set()

    async def current(self, program: str) -> Program:
        """The policy in force, which is kept for ever from here on.

        Raises:
            Unprocessable: there is no such program.
        """
        policy = self._programs.get(program)
        if policy is None:
            raise Unprocessable("unknown_program", f"there is no program {program!r}")
        version = (policy.id, policy.version)
        if version not in self._kept:
            await self._store.keep_policy(policy.id, policy.version, policy.definition, self._clock.now())
            self._kept.add(version)
        return policy

    async def entered(self, principal: Principal, program: str, candidate_id: str | None = None) -> Program:
        """The policy in force of a program that a caller may enter, and whose candidate they may see.

        Raises the problem `not-found` for everything else: what may not be seen looks like what is not there.
        """
        if program not in self._programs or not principal.may_enter(program):
            raise Problem(NOT_FOUND)
        if candidate_id is not None:
            principal.require(program, candidate_id)
        return await self.current(program)

    async def told_under(self, stored: Document | None, policy: Program) -> Program:
        """The policy that a stored ledger was last evaluated with.

        Raises:
            Unavailable: it is a later one than this process knows; it will know it in a moment.
        """
        if stored is None:
            return policy
        version: int = stored.get("told", stored)["policy_version"]  # while it is merged, the one before that
        if version == policy.version:
            return policy
        if version > policy.version:
            raise Unavailable(f"{policy.id} is at version {version}, and {policy.version} here")
        return await self._version(policy.id, version)

    async def in_force_at(self, program: str, moment: datetime) -> Program:
        """The policy that was in force at a moment; of a moment before any was, the present one."""
        definition = await self._store.policy_on(program, moment)
        current = await self.current(program)
        if definition is None or definition == current.definition:
            return current
        return load_definition(definition, name=f"{program}.yaml")

    async def timeline(self, program: str) -> list[tuple[datetime, Program]]:
        """Every policy that was ever in force, with its first moment, oldest first; never empty."""
        await self.current(program)
        versions = await self._store.policy_versions(program)
        return [(since, await self._version(program, version)) for since, version in versions]

    async def version_of(self, program: str, version: int) -> Program:
        """A policy that is or was in force. Raises `LookupError` where none of that version ever was."""
        current = await self.current(program)
        return current if current.version == version else await self._version(program, version)

    async def _version(self, program: str, version: int) -> Program:
        found = self._loaded.get((program, version))
        if found is None:
            definition = await self._store.policy(program, version)
            found = load_definition(definition, name=f"{program}.yaml")
            self._loaded[program, version] = found
        return found
