"""Opens candidates' ledgers within a transaction, and saves those that have changed."""

from collections.abc import Iterable, Mapping

from libs.common.errors import Unprocessable
from libs.common.mongo.client import Document
from libs.common.mongo.unit_of_work import Transaction
from services.certs.ledger import Ledger
from services.certs.policies import Policies
from services.certs.store import CertsStore

Whose = tuple[str, str]
"""Program and candidate."""


class Ledgers:
    """The way to ledgers for whatever adds facts: events, claims, decisions."""

    def __init__(self, store: CertsStore, policies: Policies) -> None:
        self._store = store
        self._policies = policies

    async def open(self, transaction: Transaction, wanted: Iterable[Whose]) -> Mapping[Whose, Ledger]:
        """The ledgers of these candidates, and of all they were ever merged with; an empty one where nothing is known.

        What is opened together knows of each other: within one transaction, open all at once.

        Raises:
            Unprocessable: there is no such program, or the candidate is another program's.
            Unavailable: a ledger was evaluated with a later policy than this process knows; it will know it soon.
        """
        unique = dict.fromkeys(wanted)
        stored = await self._stored(transaction, unique)
        # Whoever was ever merged knows all the others, so that one look is enough.
        kin = {(program, other) for program, whose in unique for other in stored.get(whose, {}).get("kin", ())}
        if missing := sorted(kin - unique.keys()):
            stored |= await self._stored(transaction, missing)
            unique |= dict.fromkeys(missing)
        opened = {}
        for program, candidate_id in unique:
            policy = await self._policies.current(program)
            row = stored.get(candidate_id)
            if row is not None and row["program"] != program:
                raise Unprocessable("another_program", f"the candidate is not one of {program!r}")
            told_under = await self._policies.told_under(row, policy)
            opened[program, candidate_id] = Ledger(candidate_id, policy, row, told_under=told_under)
        for (program, candidate_id), ledger in opened.items():
            if ledger.links:
                ledger.family = {one: opened[program, one] for one in (candidate_id, *ledger.kin)}
        return opened

    async def save(self, transaction: Transaction, ledgers: Iterable[Ledger]) -> None:
        """Write those to which something was added, and their families."""
        every = {one.candidate_id: one for ledger in ledgers for one in (ledger, *ledger.family.values())}
        await self._store.save(transaction, [one for one in every.values() if one.changed])

    async def _stored(self, transaction: Transaction, whose: Iterable[Whose]) -> dict[str, Document]:
        return await self._store.ledgers(transaction.session, [candidate_id for _, candidate_id in whose])
