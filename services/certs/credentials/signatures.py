"""Signs credentials: those that wait, in the background, and one that is read before, at once."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from operator import attrgetter
from typing import ClassVar, NamedTuple

import structlog

from libs.common.clock import Clock
from libs.common.errors import Unavailable
from libs.common.mongo.faults import database_faults
from libs.common.programs import Program
from services.certs.credentials.credential import Credential
from services.certs.credentials.documents import credential_document
from services.certs.credentials.signing import Json, Keys, Signed, Signer
from services.certs.credentials.status_lists import StatusLists
from services.certs.credentials.store import CredentialStore
from services.certs.credentials.waking import Wake
from services.certs.policies import Policies
from services.certs.public.addresses import Addresses

log = structlog.get_logger(__name__)


class Kept(NamedTuple):
    """What is stored of a signed credential."""

    document: bytes
    jwt: str
    kid: str


class Credentials:
    """The signed bytes of credentials: signed once, and kept."""

    def __init__(self, store: CredentialStore, signer: Signer, policies: Policies, addresses: Addresses) -> None:
        self._store = store
        self._signer = signer
        self._policies = policies
        self._addresses = addresses

    async def signed(self, credential: Credential) -> Signed:
        """The stored bytes of a credential's present version; it is signed at once where that has not happened.

        Raises:
            LookupError: it was erased.
        """
        row = await self._store.signed(credential.credential_id)
        if row is None:
            await self.sign(credential.program, [credential])
            row = await self._store.signed(credential.credential_id)
        if row is None:  # corrected in between
            present = await self._store.get(credential.credential_id)
            if present is None:
                raise LookupError("there is no such credential")
            return await self.signed(present)
        if not row["document"]:
            raise LookupError("it was erased")
        return Kept(bytes(row["document"]), row["jwt"], row["kid"])

    async def sign(self, program: str, credentials: Sequence[Credential]) -> None:
        """Sign credentials of one program, and keep what was signed."""
        documents = [await self._document(one) for one in credentials]
        signed = await self._signer.sign_many(program, documents)
        await self._store.keep_signed(zip(credentials, signed, strict=True))

    async def _document(self, credential: Credential) -> Json:
        policy = await self._policies.version_of(credential.program, credential.policy_version)
        return credential_document(credential, policy, self._addresses)


class SigningLoop:
    """Signs what waits: status lists first, since a revocation must be seen soon, then credentials."""

    SECONDS: ClassVar = 1.0
    SLICE: ClassVar = 20
    """Credentials at a time: between two slices status lists are looked at, at most a second or so apart."""
    LEASE: ClassVar = timedelta(seconds=60)

    def __init__(
        self,
        store: CredentialStore,
        credentials: Credentials,
        lists: StatusLists,
        *,
        keys: Keys,
        programs: Mapping[str, Program],
        clock: Clock,
        owner: str,
    ) -> None:
        self.wake = Wake()
        self._store = store
        self._credentials = credentials
        self._lists = lists
        self._keys = keys
        self._programs = programs
        self._clock = clock
        self._owner = owner

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping` is set."""
        while not stopping.is_set():
            async with database_faults(log):
                try:
                    while not stopping.is_set() and await self.step():
                        pass
                except Unavailable as error:
                    log.warning("signing_postponed", cause=type(error).__name__)
            await self.wake.wait(stopping, self.SECONDS)

    async def step(self) -> bool:
        """Sign what is due of the lists, and a slice of credentials. Returns whether there was one."""
        await self._lists.sign_due(self._programs)
        waiting = await self._store.claim_unsigned(self._owner, self._clock.now(), self.LEASE, self.SLICE)
        for program, group in groupby(sorted(waiting, key=attrgetter("program")), key=attrgetter("program")):
            await self._sign(program, list(group))
        return bool(waiting)

    async def look_for_lost_keys(self) -> None:
        """Let everything be signed anew that a compromised key has signed."""
        for program, kids in (await self._keys.compromised()).items():
            for kid in kids:
                count = await self._store.sign_anew(program, kid, self._clock.now())
                if count:
                    log.warning("credentials_signed_anew", program=program, kid=kid, count=count)

    async def _sign(self, program: str, credentials: Sequence[Credential]) -> None:
        try:
            await self._credentials.sign(program, credentials)
        except (ValueError, LookupError) as error:
            # One that cannot be signed must not hold up the others; it is tried again when its lease is over.
            if len(credentials) == 1:
                log.error("credential_unsignable", subject=credentials[0].credential_id, cause=type(error).__name__)  # noqa: TRY400
                return
            for one in credentials:
                await self._sign(program, [one])
