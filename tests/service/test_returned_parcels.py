"""Cases that open by themselves when a parcel came back: one for each order, told by no mail of its own."""

from typing import Any

import orjson
import pytest

from libs.common.bus.messages import Received
from libs.common.events import fulfillment, identity
from libs.common.programs import Program
from services.notify.domain.causes import mail_for
from tests.service.case_desk import Desk
from tests.service.identity_station import IdentityStation
from tests.service.samples import TAKEN, received
from tests.service.test_missing_results import cases, take


@pytest.fixture
def desk(station: IdentityStation) -> Desk:
    return Desk(station)


def returned(candidate_id: str, order_id: str = "O1") -> Received[Any]:
    about = {"candidate_id": candidate_id, "order_id": order_id, "benefit": "initial_kit", "title": "Welcome kit"}
    return received(fulfillment.OrderReturned(**about, returned_at=TAKEN, reason="Unknown at this address"))


async def test_returned_parcel_opens_one_case_however_often_it_is_told(
    desk: Desk, programs: dict[str, Program]
) -> None:
    me = await desk.station.register("P1")
    own = await desk.open(me, kind="kit", order_id="O2")
    for _ in range(2):
        await take(desk, returned(me), returned(me), returned(me, "O2"), returned("erased-1"))
    listed = {case["case_id"]: case for case in await cases(desk, me)}
    assert len(listed) == 2
    (opened,) = [case for key, case in listed.items() if key != own["case_id"]]
    assert (opened["kind"], opened["state"], opened["by_itself"]) == ("kit", "open", True)
    seen = await desk.seen(opened)
    assert [step["what"] for step in seen["history"]] == ["opened"]
    details = seen["details"]
    assert details == {
        "kind": "kit",
        "order_id": "O1",
        "certification": None,
        "returned_on": TAKEN.date().isoformat(),
    }
    assert [step["what"] for step in (await desk.seen(own))["history"]] == ["opened", "returned", "returned"]
    told = [
        identity.CaseOpened.model_validate_json(orjson.dumps(event["data"]))
        for event in desk.station.said(identity.CaseOpened)
    ]
    mails = [mail_for(one, programs["cisco"]) for one in told]
    assert [mail is None for mail in mails] == [one.by_itself for one in told]
