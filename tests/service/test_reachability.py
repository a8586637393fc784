"""Whom no mail reaches, as candidates and staff see it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from libs.common.bus import topology
from libs.common.events import EventData, notify
from tests.service.identity_station import IdentityStation
from tests.service.samples import received
from tests.service.test_audit import token_of

SINCE = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def tell(station: IdentityStation, *told: tuple[EventData, int]) -> None:
    """Let identity take in what notify says, each with its version."""
    work = next(each.work for each in station.parts.subscriptions if each.queue == topology.events_queue("identity"))
    items: list[Any] = []
    for data, version in told:
        item = received(data)
        items.append(replace(item, event=item.event.model_copy(update={"subjectversion": version})))
    await station.base.handle(work, *items)


async def test_last_word_of_notify_shows_in_profile_and_view_whatever_comes_first(station: IdentityStation) -> None:
    ada, bob = await station.open_account("P1"), await station.register("P2")
    _, tokens = await station.login(ada)
    bounced = notify.EmailSuppressed(candidate_id=ada, reason="bounced", suppressed_at=SINCE)
    complained = notify.EmailSuppressed(candidate_id=ada, reason="complained", suppressed_at=SINCE)
    restored = notify.EmailRestored(candidate_id=ada, restored_at=SINCE)
    of_staff = notify.EmailSuppressed(candidate_id="staff-1", reason="bounced", suppressed_at=SINCE)

    async def shown() -> list[Any]:
        path = f"/programs/cisco/candidates/{ada}"
        _, profile = await station.ask("GET", f"{path}/profile", tokens["access_token"])
        _, view = await station.ask("GET", f"{path}/view", token_of(station))
        assert view["links"]["suppression"] == f"/api/notify/v1{path}/suppression"
        return [profile["mail_trouble"], view["mail_trouble"]]

    assert await shown() == [None, None]
    await tell(station, (bounced, 10), (of_staff, 10))
    assert await shown() == [{"reason": "bounced", "since": "2026-11-22T12:00:00Z"}] * 2
    await tell(station, (complained, 20), (bounced, 10))
    assert [each["reason"] for each in await shown()] == ["complained"] * 2
    # Lifted and suppressed again: the word in between arrives last.
    await tell(station, (bounced, 40))
    await tell(station, (restored, 30))
    assert [each["reason"] for each in await shown()] == ["bounced"] * 2
    await tell(station, (restored, 50), (bounced, 40))
    assert await shown() == [None, None]
    accounts = await station.base.rows("candidates")
    assert {row["_id"] for row in accounts} == {ada, bob}
    assert [row["_id"] for row in accounts if "mail_trouble" in row] == [ada]
