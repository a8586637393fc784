"""Takes in what a provider says of badges: in lists, after a web hook, or over the bus."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from services.certs.provider.chains import STANDING, Badge, Chain, Seen, credential_of, observed
from services.certs.provider.rows import LONG_AGO, chain_of, fields_of
from services.certs.provider.store import ProviderStore


class Observing:
    """Lets chains know."""

    def __init__(self, store: ProviderStore, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._unit_of_work = unit_of_work

    async def take(self, program: str, found: Sequence[Seen]) -> list[Seen]:
        """Take in what a program's provider has. Returns what stands there under keys of ours that no chain knows."""
        strays: list[Seen] = []
        rows = await self._rows(program, found)
        for seen in found:
            row = rows.get(seen.badge_id) or rows.get(credential_of(seen.key) or "")
            if row is None:
                if credential_of(seen.key) is not None and seen.state in STANDING:
                    strays.append(seen)
            elif _says(observed(chain_of(row), seen)) != _says(chain_of(row)):  # most of a list is no news
                await self._unit_of_work.run(partial(self._write, key=row["_id"], seen=seen))
        return strays

    async def _rows(self, program: str, found: Sequence[Seen]) -> dict[str, Document]:
        """The chains that this is about, by badge and by credential."""
        credentials = [one for seen in found if (one := credential_of(seen.key)) is not None]
        rows: dict[str, Document] = {}
        for row in await self._store.chains_about(program, [seen.badge_id for seen in found], credentials):
            for link in chain_of(row).links:
                rows[link.credential_id] = row
                if link.badge is not None:
                    rows[link.badge.badge_id] = row
        return rows

    async def hear(self, transaction: Transaction, program: str, seen: Seen) -> None:
        """Take in what is said of one badge, as part of a transaction."""
        rows = await self._store.chains_about(program, [seen.badge_id], [], transaction.session)
        for row in rows:
            await self._note(transaction, row, seen)

    async def _write(self, transaction: Transaction, *, key: str, seen: Seen) -> None:
        row = await self._store.chain(transaction.session, key)
        if row is not None:
            await self._note(transaction, row, seen)

    async def _note(self, transaction: Transaction, row: Document, seen: Seen) -> None:
        after = observed(chain_of(row), seen)
        if _says(after) != _says(chain_of(row)):
            news = {"due_at": transaction.now, "trouble": None}
            await self._store.save(transaction.session, row | fields_of(after) | news)


def _says(chain: Chain) -> Chain:
    """The chain without the moments at which things were heard."""
    return replace(chain, links=tuple(replace(one, badge=_timeless(one.badge)) for one in chain.links))


def _timeless(badge: Badge | None) -> Badge | None:
    return replace(badge, at=LONG_AGO) if badge is not None else None
