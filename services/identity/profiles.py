"""What candidates say of themselves: kept, told, and compared with what their program wants to know."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from libs.common.bus.messages import Received
from libs.common.events import identity, notify
from libs.common.events.types import Address
from libs.common.http.problems import NOT_FOUND, Problem
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from services.identity.domain.addresses import lacking
from services.identity.store import IdentityStore

BY_LINK = "link"
"""Who took a consent back that was ended by the link in a mail (RFC 8058)."""

FIELDS = ("address", "native_address", "native_name", "employer", "job_title", "time_zone", "language")


class Profiles:
    """Changes profiles. Names and the e-mail address are not among what is changed here."""

    def __init__(self, accounts: IdentityStore, unit_of_work: UnitOfWork) -> None:
        self._accounts = accounts
        self._unit_of_work = unit_of_work

    async def change(
        self,
        program: str,
        candidate_id: str,
        *,
        fields: Mapping[str, Any],
        mails: Mapping[str, bool],
        marketing: Mapping[str, Any] | None,
        by: str,
        digest: Mapping[str, str | None] | None = None,
        confirmed: bool = False,
    ) -> Document:
        """Change what is given, and return the account as it is then. What is the same already tells nothing.

        Args:
            program: the tenant.
            candidate_id: whose; of a merged account the one that goes on is changed.
            fields: of `FIELDS`; None empties one.
            mails: kinds of mails that are wanted or not.
            marketing: `given`, and the `text_version` it was given or refused to.
            by: the subject of whoever changes it, kept with a consent.
            digest: `digest`, how often one mail tells of what can wait; left out where it stays as it is.
            confirmed: whether its owner says that all of it is right.

        Raises:
            Problem: `not-found`.
        """

        async def work(transaction: Transaction) -> Document:
            account = await self._accounts.standing(program, candidate_id, transaction.session)
            if account is None:
                raise Problem(NOT_FOUND)
            changes = {name: value for name, value in fields.items() if account.get(name) != value}
            if changes.get("address"):
                changes["country"] = changes["address"]["country"]
            told: list[identity.CandidateProfileChanged | identity.PreferencesChanged] = []
            if changes:
                told.append(profile_event(account | changes))
            preferences = _preferences(account, mails, marketing, by, transaction)
            preferences |= {name: value for name, value in (digest or {}).items() if account.get(name) != value}
            if preferences:
                told.append(_preferred(account | preferences, transaction))
            changes |= preferences
            if confirmed:
                changes["confirmed_at"] = transaction.now
            for event in told:
                version = await self._accounts.next_version(transaction.session, account["_id"], transaction.now)
                transaction.emit(event, program=program, subject=account["_id"], version=version)
            if changes:
                await self._accounts.change(transaction.session, account["_id"], changes)
            return account | changes

        return await self._unit_of_work.run(work)

    async def end_news(self, transaction: Transaction, items: Sequence[Received[notify.NewsUnsubscribed]]) -> None:
        """Take back consents to marketing that were given before a link in such a mail was followed."""
        for item in items:
            account = await self._accounts.standing(item.event.program, item.data.candidate_id, transaction.session)
            consents = account.get("consents", []) if account else []
            last = consents[-1] if consents else None
            if account is None or last is None or not last["given"] or last["at"] > item.data.unsubscribed_at:
                continue
            ended = last | {"given": False, "at": item.data.unsubscribed_at, "by": BY_LINK}
            changes = {"consents": [*consents, ended]}
            version = await self._accounts.next_version(transaction.session, account["_id"], transaction.now)
            event = _preferred(account | changes, transaction)
            transaction.emit(event, program=account["program"], subject=account["_id"], version=version, cause=item)
            await self._accounts.change(transaction.session, account["_id"], changes)


def missing(account: Document, program: Program) -> list[str]:
    """What the program wants to know and does not, in its order; of an address also what its country needs."""
    found: list[str] = []
    for name in program.profile_required:
        value = account.get("consents" if name == "news" else name)
        if not value:
            found.append(name)
        elif name == "address":
            found += [f"address.{part}" for part in lacking(value)]
    return found


def is_confirmation_due(account: Document, program: Program, now: datetime) -> bool:
    """Whether the program wants its candidate to say again that the profile is right."""
    if program.profile_confirm_days is None:
        return False
    last: datetime = account.get("confirmed_at") or account["created_at"]
    return last + timedelta(days=program.profile_confirm_days) <= now


def _preferences(
    account: Document,
    mails: Mapping[str, bool],
    marketing: Mapping[str, Any] | None,
    by: str,
    transaction: Transaction,
) -> Document:
    changes: Document = {}
    known: Mapping[str, bool] = account.get("mails", {})
    if any(known.get(kind) != wanted for kind, wanted in mails.items()):
        changes["mails"] = {**known, **mails}
    consents: list[Document] = account.get("consents", [])
    last = consents[-1] if consents else None
    if marketing is not None and (last is None or any(last[name] != marketing[name] for name in marketing)):
        given = {"kind": "marketing", **marketing, "at": transaction.now, "by": by}
        changes["consents"] = [*consents, given]
    return changes


def profile_event(account: Document) -> identity.CandidateProfileChanged:
    """The whole profile, as an account has it."""
    native = account.get("native_name") or {}
    address, native_address = account.get("address"), account.get("native_address")
    return identity.CandidateProfileChanged(
        candidate_id=account["_id"],
        given_name=account["given_name"],
        family_name=account["family_name"],
        email=account["email"],
        country=account["country"],
        language=account.get("language"),
        address=Address(**address) if address else None,
        native_address=Address(**native_address) if native_address else None,
        native_given_name=native.get("given_name"),
        native_family_name=native.get("family_name"),
        employer=account.get("employer"),
        job_title=account.get("job_title"),
        time_zone=account.get("time_zone"),
    )


def _preferred(account: Document, transaction: Transaction) -> identity.PreferencesChanged:
    consents = account.get("consents", [])
    last = consents[-1] if consents else None
    return identity.PreferencesChanged(
        candidate_id=account["_id"],
        mails=account.get("mails", {}),
        marketing=last["given"] if last else None,
        marketing_text_version=last["text_version"] if last else None,
        marketing_at=last["at"] if last else None,
        digest=account.get("digest"),
        changed_at=transaction.now,
    )
