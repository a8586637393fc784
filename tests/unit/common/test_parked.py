"""Parked messages: what is believed of their headers."""

from types import SimpleNamespace
from typing import Any, cast

from libs.common.bus import failures, topology
from libs.common.parked.queue import Parked


def parked(exchange: str, **headers: Any) -> Parked:
    """One that the broker parked; `exchange`: where it had come from."""
    death = {"queue": "exams.vendors", "exchange": exchange, "routing-keys": ["vue.ExamResultReported.v1"]}
    message = SimpleNamespace(
        body=b"{}", headers={"x-death": [death], **headers}, routing_key="exams.parked", user_id="vue"
    )
    return Parked("exams", cast("Any", message))


def test_what_a_vendor_wrote_into_headers_does_not_say_where_its_message_goes() -> None:
    forged = parked(
        topology.VENDORS,
        **{failures.QUEUE: "exams.events", failures.KEY: "identity.CandidateErased.v1", failures.VENDOR: "psi"},
    )
    assert (forged.queue, forged.routing_key, forged.vendor) == ("exams.vendors", "vue.ExamResultReported.v1", "vue")


def test_what_the_ladder_noted_is_believed_of_a_message_that_came_back_from_it() -> None:
    noted = {failures.QUEUE: "exams.vendors", failures.KEY: "vue.ExamRegistered.v1", failures.VENDOR: "vue"}
    returned = parked("", **noted)
    assert (returned.queue, returned.routing_key, returned.vendor) == ("exams.vendors", "vue.ExamRegistered.v1", "vue")
