"""Ends news for a candidate who has followed the link in one."""

from libs.common.events import notify
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.versions import next_version
from services.notify.rendering import Renderer
from services.notify.store import NotifyStore
from services.notify.unsubscribing.links import Mailing
from services.notify.wishes import WishStore


class Unsubscribing:
    """It counts at once, also for news that are written and not sent. identity is told, and takes the consent back."""

    def __init__(self, store: NotifyStore, wishes: WishStore, renderer: Renderer, unit_of_work: UnitOfWork) -> None:
        self._store = store
        self._wishes = wishes
        self._renderer = renderer
        self._unit_of_work = unit_of_work

    async def unsubscribe(self, mailing: Mailing) -> None:
        """End news; again, and for somebody we no longer know, it changes nothing."""

        async def work(transaction: Transaction) -> None:
            session = transaction.session
            goes_on = await self._store.merges.survivors(session, {mailing.candidate_id})
            candidate_id = goes_on.get(mailing.candidate_id, mailing.candidate_id)
            if candidate_id not in await self._store.recipients(session, {candidate_id}):
                return
            known = (await self._wishes.of(session, {candidate_id})).get(candidate_id)
            if known is not None and known.unsubscribed_at is not None and not known.news:
                return
            await self._wishes.unsubscribe(session, candidate_id, mailing.program, transaction.now)
            event = notify.NewsUnsubscribed(
                candidate_id=candidate_id,
                message_id=self._renderer.message_id(mailing.message_id, mailing.program),
                unsubscribed_at=transaction.now,
            )
            transaction.emit(
                event, program=mailing.program, subject=candidate_id, version=next_version(None, transaction.now)
            )

        await self._unit_of_work.run(work)
