"""The way to a vendor and back: signed for one person and for moments, believed only by what the vendor publishes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from libs.common.events import identity, vendors
from libs.common.http.lost_ways import PAGE
from libs.common.programs import Program
from libs.common.signed_forms import HAND_OVER, RETURN, Keys, Unsigned, read_keys, signed, verify
from services.exams.scheduling.hand_overs import HandOvers
from services.exams.scheduling.states import VISIT
from tests.service.booking_station import PUBLIC_URL, SIGN_ON_KEY, BookingCallers, BookingStation
from tests.service.conftest import OpenBase
from tests.service.samples import TAKEN, linked, received, registration, reported, result

KEYS = read_keys(f"first {SIGN_ON_KEY}")
EXAM: dict[str, Any] = {"vendor": "vue", "exam_code": "200-301"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[BookingStation]:
    async with base_of("exams") as base:
        yield BookingStation(base, programs, tmp_path)


@pytest.fixture
async def api(station: BookingStation) -> AsyncIterator[BookingCallers]:
    async with station.api() as api:
        await station.take(received(linked("P1", "C1")), received(linked("P2", "C2")))
        yield api


async def hand_over(api: BookingCallers, *, who: str = "C1", **asked: Any) -> dict[str, Any]:
    status, made = await api.candidate("POST", "/hand-overs", who=who, **{**EXAM, **asked})
    assert status == 201, made
    return dict(made)


async def refused(api: BookingCallers, *, program: str = "cisco", **asked: Any) -> tuple[int, Any]:
    status, problem = await api.candidate("POST", "/hand-overs", program=program, **{**EXAM, **asked})
    return status, (problem["errors"][0]["path"] if "errors" in problem else problem.get("detail"))


async def states(api: BookingCallers, who: str = "C1") -> list[str]:
    status, page = await api.candidate("GET", "/hand-overs", who=who)
    assert status == 200
    return [one["state"] for one in page["items"]]


def said(station: BookingStation, made: dict[str, Any], keys: Keys = KEYS, **more: str) -> tuple[str, dict[str, str]]:
    """What a vendor sends the browser back with."""
    url = made["form"]["fields"]["return_url"]
    moment = f"{station.base.clock.now():%Y-%m-%dT%H:%M:%SZ}"
    fields = {"ticket": url.partition("ticket=")[2], "status": "booked", "issued_at": moment, **more}
    found = signed(RETURN, fields, keys)
    return url, {name: value for name, value in found.items() if name != "ticket"}


async def test_form_says_who_wants_what_signed_for_two_minutes(api: BookingCallers, station: BookingStation) -> None:
    made = await hand_over(api)
    form, now = made["form"], station.base.clock.now().replace(microsecond=0)
    verify(HAND_OVER, form["fields"], KEYS)
    assert (form["method"], form["action"], form["ticket"]) == ("POST", "https://vendor.example/sign-on", None)
    fields = dict(form["fields"])
    assert fields.pop("return_url").startswith(f"{PUBLIC_URL}/api/exams/v1/hand-overs/return?ticket=")
    assert len(fields.pop("nonce")) >= 32
    assert len(fields.pop("digest")) == 64
    assert fields == {
        "version": "1",
        "client": "certrail",
        "program": "cisco",
        "candidate_id": "C1",
        "vendor_candidate_id": "P1",
        "exam_code": "200-301",
        "purpose": "schedule",
        "issued_at": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "expires_at": f"{now + 2 * MINUTE:%Y-%m-%dT%H:%M:%SZ}",
        "key_id": "first",
    }
    assert (made["state"], made["words"]) == (
        "made",
        "You go to Pearson VUE now, signed in. Changes you make there show here within a minute.",
    )


async def test_program_has_its_own_way_to_a_vendor(api: BookingCallers) -> None:
    status, made = await api.candidate("POST", "/hand-overs", program="juniper", vendor="vue", exam_code="JN0-106")
    assert status == 201
    assert made["form"]["action"] == "https://vendor.example/juniper"
    assert (made["form"]["fields"]["client"], made["form"]["fields"]["program"]) == ("certrail-juniper", "JNPR")
    assert "vendor_candidate_id" not in made["form"]["fields"]


async def test_each_is_another_one_and_shown_once(api: BookingCallers, station: BookingStation) -> None:
    one, other = await hand_over(api), await hand_over(api)
    for name in ("nonce", "return_url", "digest"):
        assert one["form"]["fields"][name] != other["form"]["fields"][name]
    names = await station.base.database.list_collection_names()
    kept = repr([await station.base.rows(name) for name in names])
    _, listed = await api.candidate("GET", "/hand-overs")
    for name in ("nonce", "digest"):
        assert one["form"]["fields"][name] not in kept + repr(listed)
    assert one["form"]["fields"]["return_url"].partition("ticket=")[2] not in kept + repr(listed)


async def test_key_changes_without_a_restart(api: BookingCallers, station: BookingStation) -> None:
    (station.secrets / "vue-sign-on").write_text(f"second {'n' * 32}\nfirst {SIGN_ON_KEY}\n")
    made = await hand_over(api)
    verify(HAND_OVER, made["form"]["fields"], read_keys(f"second {'n' * 32}"))
    url, fields = said(station, made)
    assert (await api.come_back(url, **fields))[0] == 303, (
        "what the vendor signs with the key of before is good as well"
    )


@pytest.mark.parametrize("content", [None, "", "first short", "nonsense"])
async def test_without_a_key_nobody_is_handed_over(
    api: BookingCallers, station: BookingStation, content: str | None
) -> None:
    if content is None:
        (station.secrets / "vue-sign-on").unlink()
    else:
        (station.secrets / "vue-sign-on").write_text(content)
    status, problem = await api.candidate("POST", "/hand-overs", **EXAM)
    assert (status, SIGN_ON_KEY in repr(problem)) == (503, False)
    assert await station.base.rows("hand_overs") == []


async def test_nobody_is_signed_on_as_another(api: BookingCallers) -> None:
    assert (await api.staff("POST", "/candidates/C1/hand-overs", **EXAM))[0] == 403
    made = await hand_over(api)
    departure = f"/hand-overs/{made['hand_over_id']}/departure"
    assert (await api.candidate("POST", departure, who="C2"))[0] == 404
    assert (await api.staff("POST", f"/candidates/C1{departure}"))[0] == 403
    assert await states(api, "C2") == []
    status, page = await api.staff("GET", "/candidates/C1/hand-overs")
    assert (status, len(page["items"])) == (200, 1)


async def test_what_does_not_fit_together_is_refused(api: BookingCallers, station: BookingStation) -> None:
    assert await refused(api, vendor="nobody") == (422, "body.vendor")
    assert await refused(api, vendor="lab") == (422, "body.vendor")
    assert await refused(api, program="juniper", vendor="psi") == (422, "body.vendor")
    assert await refused(api, exam_code="999-999") == (422, "body.exam_code")
    assert await refused(api, program="juniper", exam_code="JN0-103") == (422, "body.exam_code")
    assert await refused(api, purpose="reschedule") == (422, "body.registration_id")
    assert await refused(api, registration_id="G1") == (422, "body.registration_id")
    assert await refused(api, purpose="cancel", registration_id="G1") == (422, "body.registration_id")
    assert await refused(api, voucher_id="made-up") == (422, "body.voucher_id")
    assert await station.base.rows("hand_overs") == []


async def test_exam_that_is_over_is_booked_no_more(
    api: BookingCallers, station: BookingStation, programs: dict[str, Program]
) -> None:
    last = next(exam for exam in programs["cisco"].exams.values() if exam.last_day is not None)
    assert last.last_day is not None
    day = datetime.combine(last.last_day, datetime.min.time(), UTC) + timedelta(hours=12)
    station.base.clock.advance(day - station.base.clock.now())
    await hand_over(api, exam_code=last.code)
    station.base.clock.advance(timedelta(days=2))
    assert (await refused(api, exam_code=last.code))[0] == 409


async def test_retake_waits_as_the_program_says(
    api: BookingCallers, station: BookingStation, programs: dict[str, Program]
) -> None:
    taken = station.base.clock.now() - timedelta(days=1)
    await station.take_reports(reported(result(grade="fail", score=1.0, taken_at=taken)))
    made = await hand_over(api)
    first = made["not_before"]
    assert first is not None
    assert first > f"{programs['cisco'].day_of(station.base.clock.now())}"
    assert made["form"]["fields"]["not_before"] == first
    assert (await hand_over(api, exam_code="350-401"))["not_before"] is None
    last = next(exam for exam in programs["cisco"].exams.values() if exam.last_day is not None)
    assert last.last_day is not None
    ends = datetime.combine(last.last_day, datetime.min.time(), UTC) + timedelta(hours=12)
    station.base.clock.advance(ends - station.base.clock.now())
    again = result(result_id="R2", exam_code=last.code, grade="fail", score=1.0, taken_at=ends - timedelta(days=1))
    await station.take_reports(reported(again))
    assert (await refused(api, exam_code=last.code))[0] == 409


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a b", "/a\nb", "/a#b", "javascript:x"],
)
async def test_way_back_leads_to_no_other_site(api: BookingCallers, path: str) -> None:
    assert await refused(api, return_to=path) == (422, "body.return_to")


async def test_appointment_must_be_ones_own_and_stand(api: BookingCallers, station: BookingStation) -> None:
    await station.take_reports(
        reported(registration("P1", "G1")),
        reported(registration("P2", "G2")),
        reported(registration("P1", "G3")),
        reported(vendors.ExamAppointmentChanged(registration_id="G3", change="cancelled"), time=TAKEN + MINUTE),
    )
    made = await hand_over(api, purpose="reschedule", registration_id="G1")
    assert made["form"]["fields"]["registration_id"] == "G1"
    await hand_over(api, purpose="cancel", registration_id="G1")
    assert (await refused(api, purpose="cancel", registration_id="G2"))[0] == 422
    assert (await refused(api, purpose="cancel", registration_id="G1", exam_code="350-401"))[0] == 422
    assert (await refused(api, purpose="cancel", registration_id="G3"))[0] == 409


async def test_person_cannot_collect_sign_ons(api: BookingCallers, station: BookingStation) -> None:
    for _ in range(HandOvers.MOST_IN_A_DAY):
        await hand_over(api)
    assert (await refused(api))[0] == 409
    await hand_over(api, who="C2")
    station.base.clock.advance(timedelta(days=1, seconds=1))
    await hand_over(api)


async def test_merged_accounts_go_as_the_one_that_goes_on(api: BookingCallers, station: BookingStation) -> None:
    await hand_over(api)
    merged = identity.CandidatesMerged(merge_id="M1", candidate_id="C2", merged_id="C1", merged_at=TAKEN)
    await station.take(received(merged))
    made = await hand_over(api)
    assert made["form"]["fields"]["candidate_id"] == "C2"
    assert await states(api, "C2") == ["made", "made"]


async def test_erased_account_goes_nowhere_and_leaves_nothing(api: BookingCallers, station: BookingStation) -> None:
    await hand_over(api)
    erased = identity.CandidateErased(
        candidate_id="C1",
        accounts=[identity.ErasedAccount(candidate_id="C1", pseudonym="erased-1")],
        erased_at=station.base.clock.now(),
    )
    await station.take(received(erased))
    assert await station.base.rows("hand_overs") == []
    assert (await refused(api))[0] == 404


# --- What becomes of it -----------------------------------------------------------------------------------------------


async def test_state_follows_what_the_browser_did(api: BookingCallers, station: BookingStation) -> None:
    made = await hand_over(api)
    assert await states(api) == ["made"]
    departure = f"/hand-overs/{made['hand_over_id']}/departure"
    for _ in range(2):
        assert (await api.candidate("POST", departure))[0] == 204
    assert await states(api) == ["gone"]
    station.base.clock.advance(10 * MINUTE)
    await hand_over(api)
    assert await states(api) == ["made", "gone"]
    station.base.clock.advance(2 * MINUTE)
    assert await states(api) == ["expired", "gone"]


async def test_return_is_kept_and_believed_by_nobody(api: BookingCallers, station: BookingStation) -> None:
    made = await hand_over(api, return_to="/exams?tab=next")
    station.base.clock.advance(30 * MINUTE)
    url, fields = said(station, made, registration_id="G1")
    assert await api.come_back(url, **fields) == (303, f"{PUBLIC_URL}/exams?tab=next")
    _, page = await api.candidate("GET", "/hand-overs")
    (one,) = page["items"]
    assert (one["state"], one["settled"]) == ("returned", None)
    assert one["said"] == {"status": "booked", "registration_id": "G1", "signed": True}


async def test_ticket_counts_once(api: BookingCallers, station: BookingStation) -> None:
    made = await hand_over(api)
    url, fields = said(station, made)
    await api.come_back(url, **fields)
    url, fields = said(station, made, status="cancelled")
    assert (await api.come_back(url, **fields))[0] == 303
    _, page = await api.candidate("GET", "/hand-overs")
    assert page["items"][0]["said"]["status"] == "booked"


async def test_return_that_the_vendor_has_not_signed_leads_nowhere(
    api: BookingCallers, station: BookingStation
) -> None:
    made, other = await hand_over(api), await hand_over(api)
    url, fields = said(station, made)
    others_url, others = said(station, other)
    hostile: list[tuple[str, dict[str, str]]] = [
        (url, {"status": "booked"}),
        (url, fields | {"status": "cancelled"}),
        (url, fields | {"registration_id": "G1"}),
        (url, {name: value for name, value in fields.items() if name != "issued_at"}),
        (url, fields | {"key_id": "other"}),
        (url, others),
        (others_url, fields),
        said(station, made, read_keys(f"first {'x' * 32}")),
        said(station, made, issued_at="2020-01-01T00:00:00Z"),
        said(station, made, issued_at="2099-01-01T00:00:00Z"),
        said(station, made, issued_at="yesterday"),
        # The form that we signed ourselves is not the vendor's word.
        (url, {"status": "booked", "key_id": "first", "digest": made["form"]["fields"]["digest"]}),
    ]
    for address, parameters in hostile:
        assert await api.come_back(address, **parameters) == (422, None)
    assert await states(api) == ["made", "made"]


async def test_ticket_that_is_unknown_or_old_is_none(api: BookingCallers, station: BookingStation) -> None:
    made = await hand_over(api)
    url, fields = said(station, made)
    assert (await api.come_back(url[:-1] + ("A" if url[-1] != "A" else "B"), **fields))[0] == 404
    station.base.clock.advance(VISIT)
    url, fields = said(station, made)
    assert (await api.come_back(url, **fields))[0] == 404


async def test_browser_that_comes_back_wrongly_gets_a_page(api: BookingCallers, station: BookingStation) -> None:
    made = await hand_over(api)
    url, fields = said(station, made)
    forged = fields | {"status": "cancelled"}
    for address, parameters in ((url, forged), (url[:-1], fields)):
        assert await api.come_back(address, "text/html,*/*;q=0.8", **parameters) == (303, f"{PUBLIC_URL}{PAGE}")
    assert (await api.come_back(url, **forged))[0] == 422, "programs read what is wrong"
    assert (await api.come_back(url[:-1], **fields))[0] == 404
    assert await states(api) == ["made"]


async def test_booking_is_what_the_vendors_event_says(api: BookingCallers, station: BookingStation) -> None:
    now = station.base.clock.now()
    await hand_over(api)
    await station.take_reports(reported(registration("P1", "G1"), time=now + 3 * MINUTE))
    _, page = await api.candidate("GET", "/hand-overs")
    (one,) = page["items"]
    assert (one["state"], one["words"]) == ("booked", "Pearson VUE says: booked.")
    assert one["settled"]["registration_id"] == "G1"
    station.base.clock.advance(5 * MINUTE)
    await hand_over(api, purpose="reschedule", registration_id="G1")
    moved = vendors.ExamAppointmentChanged(
        registration_id="G1", change="rescheduled", scheduled_at=now + timedelta(days=9)
    )
    station.base.clock.advance(5 * MINUTE)
    made = await hand_over(api, purpose="reschedule", registration_id="G1")
    await station.take_reports(reported(moved, time=now + 12 * MINUTE))
    assert await states(api) == ["changed", "expired", "booked"]
    gone = vendors.ExamAppointmentChanged(registration_id="G1", change="cancelled")
    await station.take_reports(reported(gone, time=now + 13 * MINUTE))
    assert await states(api) == ["cancelled", "expired", "booked"]
    assert made["state"] == "made"


async def test_anothers_booking_settles_nothing(api: BookingCallers, station: BookingStation) -> None:
    await hand_over(api)
    later = station.base.clock.now() + 3 * MINUTE
    await station.take_reports(
        reported(registration("P2", "G2"), time=later),
        reported(registration("P1", "G3", exam_code="350-401"), time=later),
        reported(registration("P1", "G4"), time=later + VISIT),
        reported(registration("P1", "G5"), time=later - timedelta(hours=1)),
    )
    assert await states(api) == ["made"]


# --- Codes and OpenID -------------------------------------------------------------------------------------------------


async def test_code_of_ones_own_goes_along(api: BookingCallers, station: BookingStation) -> None:
    today = station.base.clock.now().date()
    rows = [
        {"code": "GOOD-CODE", "exams": ["200-301"]},
        {"code": "EXAM-CODE", "exams": ["350-401"]},
        {"code": "PSIS-CODE", "vendor": "psi"},
        {"code": "SOON-CODE", "valid_from": f"{today + timedelta(days=9)}"},
        {"code": "FREE-CODE"},
    ]
    lines = b"\n".join(orjson.dumps({"vendor": "vue", "batch": "b", **row}) for row in rows)
    await api.staff("POST", "/voucher-imports", file=("application/x-ndjson", lines))
    _, page = await api.staff("GET", "/vouchers")
    ids = {voucher["code"].removeprefix("••••"): voucher["voucher_id"] for voucher in page["items"]}
    found = {
        row["code"]: (await api.staff("POST", "/voucher-searches", vendor=row.get("vendor", "vue"), code=row["code"]))[
            1
        ]
        for row in rows
    }
    assert len(ids) == 1, "all of them end alike"
    for code, voucher in found.items():
        if code != "FREE-CODE":
            await api.staff("POST", f"/vouchers/{voucher['voucher_id']}/assignment", candidate_id="C1")
    made = await hand_over(api, voucher_id=found["GOOD-CODE"]["voucher_id"])
    assert made["form"]["fields"]["voucher"] == "GOOD-CODE"
    verify(HAND_OVER, made["form"]["fields"], KEYS)
    for code in ("EXAM-CODE", "PSIS-CODE", "SOON-CODE", "FREE-CODE"):
        assert await refused(api, voucher_id=found[code]["voucher_id"]) == (422, "body.voucher_id")
    status, _ = await api.candidate(
        "POST", "/hand-overs", who="C2", voucher_id=found["GOOD-CODE"]["voucher_id"], **EXAM
    )
    assert status == 422
    assert "GOOD-CODE" not in repr(await station.base.rows("hand_overs"))


async def test_vendor_with_openid_begins_the_login_itself(api: BookingCallers, station: BookingStation) -> None:
    made = await hand_over(api, vendor="psi")
    form = made["form"]
    assert (form["method"], form["action"]) == ("GET", "https://psi.example/login/begin")
    assert set(form["fields"]) == {"iss", "target_link_uri"}
    assert form["fields"]["iss"] == f"{PUBLIC_URL}/api/identity/v1/provider"
    assert form["ticket"] == {
        "url": "/api/identity/v1/programs/cisco/candidates/C1/provider-tickets",
        "client_id": "psi",
    }
    assert await refused(api, vendor="psi", voucher_id="V1") == (422, "body.voucher_id")
    assert (await api.come_back(form["fields"]["target_link_uri"], status="left"))[0] == 303
    _, page = await api.candidate("GET", "/hand-overs")
    assert page["items"][0]["said"] == {"status": "left", "registration_id": None, "signed": False}


async def test_way_back_does_not_open_the_way_there(api: BookingCallers, station: BookingStation) -> None:
    """A vendor's word to us, held against us as our word to a vendor."""
    made = await hand_over(api)
    url, fields = said(station, made)
    with pytest.raises(Unsigned):
        verify(HAND_OVER, {**fields, "ticket": url.partition("ticket=")[2]}, KEYS)
