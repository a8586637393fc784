"""Claims of ids that were waiting or decided before there were other cases."""

from datetime import timedelta
from typing import Any

import pytest
from pymongo import ASCENDING, IndexModel
from pymongo.errors import DuplicateKeyError

from libs.common.candidate_ids import is_candidate_id
from services.identity.cases.store import MIGRATION
from tests.service.case_desk import Desk
from tests.service.identity_station import IdentityStation


async def former(station: IdentityStation, candidate_id: str, number: int, state: str) -> None:
    decided = state != "open"
    await station.base.database["cases"].insert_one(
        {
            "_id": f"old-{number}",
            "program": "cisco",
            "kind": "mapping_conflict" if number % 2 else "mapping",
            "state": state,
            "candidate_id": candidate_id,
            "link": f"cisco:vue:X{number}",
            "system": "vue",
            "external_id": f"X{number}",
            "registration_id": "G1",
            "held_by": "CSCO00000000" if number % 2 else None,
            "opened_at": station.base.clock.now() - timedelta(days=9 - number),
            "reason": "seen" if decided else None,
            "decided_by": "staff:old" if decided else None,
            "decided_at": station.base.clock.now() if decided else None,
        }
    )


async def test_former_claims_become_cases_that_go_on(station: IdentityStation) -> None:
    cases, desk = station.base.database["cases"], Desk(station)
    me = await station.register("P1")
    await cases.drop_indexes()
    await cases.create_indexes(
        [
            IndexModel([("program", ASCENDING), ("state", ASCENDING), ("opened_at", ASCENDING), ("_id", ASCENDING)]),
            IndexModel(
                [("candidate_id", ASCENDING), ("link", ASCENDING)],
                name="one_open",
                unique=True,
                partialFilterExpression={"state": "open"},
            ),
        ]
    )
    for number, state in enumerate(["open", "open", "linked", "refused"]):
        await former(station, me, number, state)
    await MIGRATION.apply(station.base.database)
    rows = await station.base.rows("cases")
    await MIGRATION.apply(station.base.database)
    assert await station.base.rows("cases") == rows, "again it changes nothing"
    assert [row["state"] for row in rows] == ["open", "open", "accepted", "refused"]
    assert len({row["reference"] for row in rows}) == 4
    assert all(is_candidate_id(row["reference"], "K", 8) for row in rows)
    assert "one_open" not in await cases.index_information()

    _, waiting = await desk.staff("GET", "cases")
    assert [item["case_id"] for item in waiting["items"]] == ["old-0", "old-1"]
    for number, held_by in enumerate([None, "CSCO00000000", None, "CSCO00000000"]):
        case = await desk.seen({"case_id": f"old-{number}"})
        assert (case["kind"], case["held_by"]) == ("mapping", held_by)
    closed = await desk.seen({"case_id": "old-2"})
    assert (closed["reason"], closed["history"][-1]["by"]) == ("seen", "staff:old")
    claim: dict[str, Any] = {"system": "vue", "external_id": "X0", "registration_id": "G1"}
    assert (await desk.candidate(me, "POST", "external-ids", **claim))[1]["case_id"] == "old-0"
    assert (await desk.decide({"case_id": "old-0"}))[1]["state"] == "accepted"
    assert (await station.base.rows("external_ids", external_id="X0"))[0]["candidate_id"] == me
    new = await desk.open(me, kind="kit", certification="CCNA")
    assert new["reference"] not in {row["reference"] for row in rows}


async def test_migration_that_died_half_way_goes_on(station: IdentityStation) -> None:
    cases = station.base.database["cases"]
    me = await station.register("P1")
    await cases.drop_index("reference")
    await cases.drop_index("once")
    await former(station, me, 0, "open")
    await MIGRATION.apply(station.base.database)
    (first,) = await station.base.rows("cases")
    await cases.drop_index("reference")
    await cases.drop_index("once")
    await former(station, me, 1, "linked")
    await MIGRATION.apply(station.base.database)
    rows = await station.base.rows("cases")
    assert rows[0] == first
    assert rows[1]["reference"] != first["reference"]
    with pytest.raises(DuplicateKeyError):
        await cases.insert_one({**first, "_id": "another", "reference": "K-another"})
