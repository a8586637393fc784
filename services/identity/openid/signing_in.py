"""Signing in with a provider: there with secrets of one use, back with a code, and into an account that is proved."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from libs.common.clock import Clock
from libs.common.http.problems import CONFLICT, UNAVAILABLE, Problem, invalid
from libs.common.ids import new_secret
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.identity.access import Access, Proof
from services.identity.login.problems import LINK_INVALID
from services.identity.login.second_factor import SecondFactors
from services.identity.login.sessions import FRESH, SECOND_FACTOR
from services.identity.openid.federated_id import FederatedId, external_id_of
from services.identity.openid.linking import Linking
from services.identity.openid.problems import SIGN_IN_INVALID
from services.identity.openid.provider import Provider, Returned, Secrets, Vouched
from services.identity.openid.providers import Providers
from services.identity.openid.store import Attempt, Pending, SignInStore
from services.identity.store import IdentityStore

ATTEMPT_LASTS = timedelta(minutes=10)
PENDING_LASTS = timedelta(minutes=30)
"""Long enough to ask for a link by mail and to follow it."""

FEDERATED = "federated"
"""The `acr` of who was vouched for by the program's provider."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send a person, and what to bring back with their answer."""

    authorization_url: str
    state: str
    binding: str
    logout_url: str | None


@dataclass(frozen=True, slots=True)
class Entered:
    """Whose account is open, how that was proved, and when."""

    account: Document
    acr: str
    authenticated_at: datetime


@dataclass(frozen=True, slots=True)
class Wanting:
    """What is missing before an account opens: its second factor, or a proof of which account it is."""

    second_factor: bool
    token: str


@dataclass(frozen=True, slots=True)
class ByCode:
    """A person shows the second factor of the account."""

    code: str


@dataclass(frozen=True, slots=True)
class ByPassword:
    """A person knows the password of an account."""

    login: str
    password: str
    code: str | None


@dataclass(frozen=True, slots=True)
class ByLink:
    """A person got a mail of an account."""

    link: str
    code: str | None


class SigningIn:
    """Carries a sign-in from its first step to its last."""

    def __init__(
        self,
        providers: Providers,
        store: SignInStore,
        linking: Linking,
        accounts: IdentityStore,
        *,
        access: Access,
        factors: SecondFactors,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._providers = providers
        self._store = store
        self._linking = linking
        self._accounts = accounts
        self._access = access
        self._factors = factors
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def begin(self, program: str, *, fresh: bool, counted: str) -> Begun:
        """Raises the problems `not-found` and `unavailable`."""
        provider = self._providers.of(program)
        state, binding = new_secret(), new_secret()
        url = await provider.authorization_url(_secrets(state, binding), fresh=fresh)
        expires_at = self._clock.now() + ATTEMPT_LASTS
        await self._store.add(Attempt(program, state, binding, fresh, counted, expires_at))
        return Begun(url, state, binding, await provider.logout_url())

    async def finish(
        self, program: str, *, state: str, binding: str, returned: Returned
    ) -> tuple[Attempt, Entered | Wanting]:
        """What a person's return from the provider opens.

        Raises the problems `not-found`, `sign-in-invalid`, `sign-in-refused`, `conflict` and `unavailable`.
        """
        provider = self._providers.of(program)
        attempt = await self._store.take(program, state, binding, self._clock.now())
        if attempt is None:
            raise Problem(SIGN_IN_INVALID, "begin again")
        try:
            vouched = await provider.redeem(returned, _secrets(state, binding), fresh=attempt.fresh)
        except Problem as problem:
            if problem.kind is UNAVAILABLE:
                await self._store.add(attempt)  # so that the same can be sent again
            raise
        return attempt, await self._entered(program, provider, vouched)

    async def _entered(self, program: str, provider: Provider, vouched: Vouched) -> Entered | Wanting:
        person = FederatedId(program, provider.given.system, external_id_of(vouched.claims.sub))
        account = await self._linking.holder(person)
        email = await provider.verified_email(vouched) if account is None else None
        if email is not None:
            # Another browser of the same person may have linked the two between these looks.
            account = await self._linking.by_email(person, email) or await self._linking.holder(person)
        if account is None:
            return await self._wanting(person, None)
        trusted = provider.proves_second_factor(vouched.claims)
        if not trusted and await self._factors.of(account["_id"]) is not None:
            return await self._wanting(person, account["_id"])
        if email is not None:
            linked = await self._link_by_email(person, email)
            # The second factor was looked for at the one account, so no other may open.
            if linked is None or linked["_id"] != account["_id"]:
                raise Problem(CONFLICT, "whose the provider's account is has changed meanwhile: begin again")
        return Entered(account, SECOND_FACTOR if trusted else FEDERATED, self._proved_at(vouched))

    async def _link_by_email(self, person: FederatedId, email: str) -> Document | None:
        async def work(transaction: Transaction) -> Document | None:
            account = await self._linking.by_email(person, email, transaction.session)
            if account is None:
                return None
            return await self._linking.link(transaction, person, account["_id"], "openid-email")

        # What another browser has linked meanwhile is as good.
        return await self._unit_of_work.run(work) or await self._linking.holder(person)

    async def complete(self, program: str, token: str, own: ByCode | ByPassword | ByLink) -> Entered:
        """Open the account of a sign-in that wanted a proof, which links the two.

        Raises the problems `not-found`, `sign-in-invalid`, `invalid-request`, `unauthenticated`,
        `second-factor-needed`, `local-passwords-off`, `link-invalid` and `conflict`.
        """
        self._providers.of(program)
        pending = await self._store.pending(program, token, self._clock.now())
        if pending is None:
            raise Problem(SIGN_IN_INVALID, "begin again")
        proof, how = await self._proof(pending, own)

        async def work(transaction: Transaction) -> Document:
            if not await self._store.drop(transaction.session, token):
                raise Problem(SIGN_IN_INVALID, "begin again")
            if isinstance(own, ByCode):
                await self._linking.require_unchanged(transaction, pending.person, proof.account)
            if isinstance(own, ByLink):
                await self._use_link(transaction, own.link, proof.account)
            return await self._linking.link(transaction, pending.person, proof.account["_id"], how)

        return Entered(await self._unit_of_work.run(work), proof.acr, self._clock.now())

    async def _proof(self, pending: Pending, own: ByCode | ByPassword | ByLink) -> tuple[Proof, str]:
        program, known = pending.person.program, pending.candidate_id
        if isinstance(own, ByCode) != (known is not None):
            wanted = "an account" if known is None else "the second factor"
            raise invalid("body.kind", "not_wanted", f"this sign-in waits for a proof of {wanted}")
        if isinstance(own, ByPassword):
            return await self._access.prove(program, own.login, own.password, own.code), "openid-password"
        if isinstance(own, ByLink):
            return await self._link_proof(program, own), "openid-link"
        return await self._code_proof(program, known or "", own.code), "openid-email"

    async def _link_proof(self, program: str, own: ByLink) -> Proof:
        known = await self._accounts.link(own.link, self._clock.now())
        account = await self._accounts.standing(program, known["candidate_id"]) if known else None
        if account is None:
            raise Problem(LINK_INVALID)
        if await self._factors.of(account["_id"]) is None:
            return Proof(account, FEDERATED)
        return await self._code_proof(program, account["_id"], own.code)

    async def _code_proof(self, program: str, candidate_id: str, code: str | None) -> Proof:
        return await self._access.prove_again(program, candidate_id, password=None, code=code)

    async def _use_link(self, transaction: Transaction, link: str, account: Document) -> None:
        used = await self._accounts.use_link(transaction.session, link, transaction.now)
        own = {account["_id"], *account.get("merged_from", [])}
        if used is None or used["candidate_id"] not in own:
            raise Problem(LINK_INVALID)

    async def _wanting(self, person: FederatedId, candidate_id: str | None) -> Wanting:
        token = new_secret()
        await self._store.keep(token, Pending(person, candidate_id, self._clock.now() + PENDING_LASTS))
        return Wanting(second_factor=candidate_id is not None, token=token)

    def _proved_at(self, vouched: Vouched) -> datetime:
        """When the person proved who they are, as far as the provider says so; else it counts as no recent proof."""
        now = self._clock.now()
        return min(now, vouched.claims.authenticated_at or now - 2 * FRESH)


def _secrets(state: str, binding: str) -> Secrets:
    """Nonce and verifier come from the browser's own secret, of which we keep a hash only."""
    return Secrets(state, _derived("nonce", binding), _derived("verifier", binding))


def _derived(purpose: str, binding: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(f"{purpose}:{binding}".encode()).digest()).rstrip(b"=").decode()
