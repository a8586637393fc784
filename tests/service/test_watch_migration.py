"""Appointments of before are watched from the day on which the watch begins; what was long over is left alone."""

from datetime import timedelta

from libs.common.programs import Program
from services.exams.watch.looking import ResultsWatch
from services.exams.watch.store import MIGRATION
from tests.service.conftest import OpenBase
from tests.service.rig import said
from tests.service.samples import linked, received, registration, reported
from tests.service.test_exams import Exams

AGES = {"AHEAD": -9, "LATELY": 3, "LONG-OVER": 90}
"""Of appointments, in days."""


async def test_watch_begins_with_what_may_still_come(base_of: OpenBase, programs: dict[str, Program]) -> None:
    async with base_of("exams") as base:
        service = Exams(base)
        await service.link(received(linked()))
        now = base.clock.now()
        for number, days in AGES.items():
            await service.take(reported(registration("P1", number, scheduled_at=now - timedelta(days))))
        await base.database["registrations"].update_many({}, {"$unset": {"watch": ""}})
        for _ in range(2):
            await MIGRATION.apply(base.database)
        watched = {row["registration_id"]: row.get("watch") for row in await base.rows("registrations")}
        assert watched["LONG-OVER"] is None
        assert [watched[number]["next_at"] for number in ("AHEAD", "LATELY")] == [
            now - timedelta(AGES[number]) for number in ("AHEAD", "LATELY")
        ]
        watch = ResultsWatch(service.store, programs, base.unit_of_work)
        base.clock.advance(timedelta(minutes=1))
        before = len(said(base))
        await watch.run()
        stages = {
            row["registration_id"]: (row.get("watch") or {}).get("stage") for row in await base.rows("registrations")
        }
        assert stages == {"AHEAD": None, "LATELY": "expected", "LONG-OVER": None}
        assert len(said(base)) == before, "nothing is late that was never promised to be watched"
