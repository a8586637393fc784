"""The registry of codes: each one is given to one person, used by one, and shown to nobody else."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from libs.common.events import exams, identity
from libs.common.http.scopes import OPERATOR, VOUCHERS_MANAGE
from libs.common.mongo.unit_of_work import Transaction
from libs.common.programs import Program
from services.exams.vouchers.store import VoucherStore
from services.exams.vouchers.uses import FREE
from tests.service.booking_station import BookingCallers, BookingStation
from tests.service.conftest import OpenBase
from tests.service.rig import said
from tests.service.samples import TAKEN, linked, received, registration, reported, result

CODE = "SPRING-AAAA-0001"
JSON_LINES = "application/x-ndjson"


def codes(*rows: dict[str, Any], count: int = 0, **common: Any) -> tuple[str, bytes]:
    """A list of codes as a file."""
    many = [{"code": f"SPRING-AAAA-{n:04}"} for n in range(1, count + 1)]
    lines = [{"vendor": "vue", "batch": "spring", **common, **row} for row in [*rows, *many]]
    return JSON_LINES, b"\n".join(map(orjson.dumps, lines))


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[BookingStation]:
    async with base_of("exams") as base:
        yield BookingStation(base, programs, tmp_path)


@pytest.fixture
async def api(station: BookingStation) -> AsyncIterator[BookingCallers]:
    async with station.api() as api:
        await station.take(received(linked("P1", "C1")), received(linked("P2", "C2")))
        yield api


async def listed(api: BookingCallers, query: str = "") -> list[dict[str, Any]]:
    status, page = await api.staff("GET", f"/vouchers{query}")
    assert status == 200
    return list(page["items"])


async def imported(api: BookingCallers, *rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    status, told = await api.staff("POST", "/voucher-imports", file=codes(*rows, **more))
    assert status == 200, told
    return dict(told)


async def one_assigned(api: BookingCallers, who: str = "C1", **terms: Any) -> str:
    await imported(api, {"code": CODE, **terms})
    (voucher,) = await listed(api)
    status, _ = await api.staff("POST", f"/vouchers/{voucher['voucher_id']}/assignment", candidate_id=who)
    assert status == 200
    return str(voucher["voucher_id"])


async def test_list_is_taken_line_by_line_and_twice_harmless(api: BookingCallers) -> None:
    rows: list[dict[str, Any]] = [
        {"code": "AAAA-0000-0001", "exams": ["200-301"], "valid_until": "2027-12-31"},
        {"code": "AAAA 0000 0002"},
        {"code": "AAAA-0000-0003", "exams": ["999-999"]},
        {"code": "AAAA-0000-0004", "vendor": "nobody"},
        {"code": "aaaa-0000-0001", "exams": ["200-301"], "valid_until": "2027-12-31"},
        {"code": "AAAA-0000-0005"},
    ]
    told = await imported(api, *rows)
    assert (told["added"], told["known"], told["bad"]) == (2, 1, 3)
    assert [(bad["line"], bad["code"]) for bad in told["bad_lines"]] == [
        (2, "string_pattern_mismatch"),
        (3, "unknown_exam"),
        (4, "vendor"),
    ]
    again = await imported(api, *rows)
    assert (again["added"], again["known"]) == (0, 3)
    changed = await imported(api, {"code": "AAAA-0000-0005", "value": "half"})
    assert [bad["code"] for bad in changed["bad_lines"]] == ["other_terms"]
    assert len(await listed(api)) == 2


async def test_file_that_is_no_list_is_refused(api: BookingCallers) -> None:
    status, problem = await api.staff("POST", "/voucher-imports", file=("text/csv", b"price\n1"))
    assert (status, problem["errors"][0]["code"]) == (422, "list")
    assert (await api.staff("POST", "/voucher-imports", file=("image/png", b"x")))[0] == 415


async def test_same_list_sent_at_once_by_many_adds_each_code_once(api: BookingCallers) -> None:
    told = await asyncio.gather(*(imported(api, count=60) for _ in range(4)))
    assert sum(each["added"] for each in told) == 60
    assert len(await listed(api, "?limit=200")) == 60


async def test_code_goes_to_one_however_many_ask_at_once(api: BookingCallers, station: BookingStation) -> None:
    people = [f"C{n}" for n in range(100, 140)]
    await station.take(*(received(linked(f"P{who}", who)) for who in people))
    await imported(api, count=len(people) - 5)
    path = "/voucher-batches/spring/assignments"
    answers = await asyncio.gather(*(api.staff("POST", path, candidate_id=who) for who in people))
    given = [answer for status, answer in answers if status == 201]
    assert len({voucher["voucher_id"] for voucher in given}) == len(given) == len(people) - 5
    assert len({voucher["candidate_id"] for voucher in given}) == len(given)
    assert [status for status, _ in answers].count(409) == 5
    assert len(station.said(exams.VoucherAssigned)) == len(given)


async def test_two_that_have_seen_the_same_free_code_do_not_both_get_it(
    api: BookingCallers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The race with its moment chosen: both have read before either writes."""
    await imported(api, count=1)
    both_have_read, looks = asyncio.Barrier(2), iter([True, True])
    found = VoucherStore.free

    async def slowed(self: Any, *args: Any, **more: Any) -> Any:
        rows = await found(self, *args, **more)
        if next(looks, False):
            await both_have_read.wait()
        return rows

    monkeypatch.setattr(VoucherStore, "free", slowed)
    path = "/voucher-batches/spring/assignments"
    answers = await asyncio.gather(*(api.staff("POST", path, candidate_id=who) for who in ("C1", "C2")))
    assert sorted(status for status, _ in answers) == [201, 409]


async def test_assignment_sent_again_with_its_key_gives_no_second_code(
    api: BookingCallers, station: BookingStation
) -> None:
    await imported(api, count=2)
    for _ in range(2):
        status, first = await api.staff("POST", "/voucher-batches/spring/assignments", key="k1", candidate_id="C1")
        assert status == 201
    # After a crash between commit and answer the answer is not kept, and the work runs again.
    await station.base.database["idempotency"].delete_many({})
    status, again = await api.staff("POST", "/voucher-batches/spring/assignments", key="k1", candidate_id="C1")
    assert (status, again["voucher_id"]) == (201, first["voucher_id"])
    assert len(await listed(api, "?state=free")) == 1


async def test_next_code_fits_the_exam_and_is_one_that_ends_soonest(
    api: BookingCallers, station: BookingStation
) -> None:
    now = station.base.clock.now().date()
    await imported(
        api,
        {"code": "CODE-OTHER-EXAM", "exams": ["350-401"], "valid_until": f"{now + timedelta(days=3)}"},
        {
            "code": "CODE-NOT-YET",
            "valid_from": f"{now + timedelta(days=9)}",
            "valid_until": f"{now + timedelta(days=10)}",
        },
        {"code": "CODE-OVER", "valid_until": f"{now - timedelta(days=3)}"},
        {"code": "CODE-ENDLESS"},
        {"code": "CODE-SOON", "exams": ["200-301"], "valid_until": f"{now + timedelta(days=30)}"},
    )
    path = "/voucher-batches/spring/assignments"
    for end in ("SOON", "LESS"):
        status, voucher = await api.staff("POST", path, candidate_id="C1", exam="200-301")
        assert (status, voucher["code"]) == (201, f"••••{end}")
    assert (await api.staff("POST", path, candidate_id="C1", exam="200-301"))[0] == 409
    assert (await api.staff("POST", path, candidate_id="C1", exam="nonsense"))[0] == 422
    assert (await api.staff("POST", "/voucher-batches/none/assignments", candidate_id="C1"))[0] == 404


async def test_code_is_assigned_to_candidates_of_the_program_alone(api: BookingCallers) -> None:
    await imported(api, count=1)
    (voucher,) = await listed(api)
    path = f"/vouchers/{voucher['voucher_id']}/assignment"
    assert (await api.staff("POST", path, candidate_id="C-nobody"))[0] == 422
    assert (await api.staff("POST", path, candidate_id="C1"))[0] == 200
    assert (await api.staff("POST", path, candidate_id="C1"))[0] == 200
    assert (await api.staff("POST", path, candidate_id="C2"))[0] == 409
    assert (await api.staff("POST", path, program="juniper", candidate_id="C1"))[0] == 404


async def test_holder_alone_sees_the_code_and_that_is_on_record(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api)
    status, page = await api.candidate("GET", "/vouchers")
    assert (status, [one["code"] for one in page["items"]]) == (200, ["••••0001"])
    status, shown = await api.candidate("POST", f"/vouchers/{voucher_id}/showing")
    assert (status, shown["full_code"]) == (200, CODE)
    assert (await api.candidate("POST", f"/vouchers/{voucher_id}/showing", who="C2"))[0] == 404
    assert (await api.staff("POST", f"/candidates/C1/vouchers/{voucher_id}/showing"))[0] == 403
    (voucher,) = await listed(api)
    assert [line["what"] for line in voucher["history"]] == ["imported", "assigned", "shown"]
    (route,) = [route for route in station.parts.api.routes if route.operation_id == "show_own_voucher"]
    assert route.audited
    assert route.changes, "what candidates change is in the audit log, what they read is not"


async def test_code_stands_nowhere_in_full(
    api: BookingCallers, station: BookingStation, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the database, nor in an event, a log, or an answer to anybody but its holder."""
    caplog.set_level(logging.DEBUG)
    voucher_id = await one_assigned(api)
    await api.candidate("POST", f"/vouchers/{voucher_id}/showing")
    status, found = await api.staff("POST", "/voucher-searches", vendor="vue", code=CODE.lower())
    assert (status, found["voucher_id"]) == (200, voucher_id)
    names = await station.base.database.list_collection_names()
    kept = [await station.base.rows(name) for name in names]
    answers = [await listed(api), found, await api.candidate("GET", "/vouchers")]
    for text in (repr(kept), repr(said(station.base)), caplog.text, repr(answers)):
        assert CODE not in text
        assert "AAAA" not in text


async def test_search_finds_nothing_of_another_program(api: BookingCallers) -> None:
    await one_assigned(api)
    assert (await api.staff("POST", "/voucher-searches", program="juniper", vendor="vue", code=CODE))[0] == 404
    assert (await api.staff("POST", "/voucher-searches", vendor="psi", code=CODE))[0] == 404


def used(person: str = "P1", code: str = CODE, registration_id: str = "G1") -> Any:
    return reported(registration(person, registration_id, voucher=code))


async def test_code_is_used_when_the_vendor_names_it(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api)
    await station.take_reports(used(code=CODE.lower()))
    _, voucher = await api.staff("GET", f"/vouchers/{voucher_id}")
    assert (voucher["state"], voucher["flags"]) == ("used", [])
    assert voucher["used"] == {"registration_id": "G1", "candidate_id": "C1", "at": voucher["used"]["at"]}
    await station.take_reports(used(), reported(result(voucher=CODE)))
    _, again = await api.staff("GET", f"/vouchers/{voucher_id}")
    assert again == voucher
    assert (await api.staff("POST", f"/vouchers/{voucher_id}/withdrawal", reason="why"))[0] == 409


async def test_result_alone_uses_a_code_too(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api)
    await station.take_reports(reported(result(voucher=CODE)))
    _, voucher = await api.staff("GET", f"/vouchers/{voucher_id}")
    assert (voucher["state"], voucher["used"]["candidate_id"], voucher["flags"]) == ("used", "C1", [])


async def test_use_by_another_is_flagged(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api)
    await station.take_reports(used("P2"))
    (voucher,) = await listed(api, "?flag=used_by_another")
    assert (voucher["voucher_id"], voucher["used"]["candidate_id"]) == (voucher_id, "C2")
    merged = identity.CandidatesMerged(merge_id="M1", candidate_id="C1", merged_id="C2", merged_at=TAKEN)
    await station.take(received(merged))
    await station.run("vouchers")
    assert await listed(api, "?flag=used_by_another") == []


async def test_user_who_becomes_known_later_is_looked_at_then(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api)
    await station.take_reports(used("P7"))
    _, voucher = await api.staff("GET", f"/vouchers/{voucher_id}")
    assert (voucher["state"], voucher["used"]["candidate_id"], voucher["flags"]) == ("used", None, [])
    await station.take(received(linked("P7", "C7")))
    await station.run("vouchers")
    _, voucher = await api.staff("GET", f"/vouchers/{voucher_id}")
    assert (voucher["used"]["candidate_id"], voucher["flags"]) == ("C7", ["used_by_another"])


async def test_use_before_its_code_is_imported_counts(api: BookingCallers, station: BookingStation) -> None:
    await station.take_reports(used())
    assert await listed(api) == []
    assert (await imported(api, {"code": CODE}))["added"] == 1
    (voucher,) = await listed(api)
    assert (voucher["state"], voucher["flags"]) == ("used", ["was_not_assigned"])


async def test_use_and_import_at_the_same_moment_never_miss_each_other(
    api: BookingCallers, station: BookingStation
) -> None:
    for n in range(20):
        code = f"RACE-CODE-{n:04}"
        await asyncio.gather(
            imported(api, {"code": code}),
            station.take_reports(used("P1", code, f"G{n}")),
        )
    assert {voucher["state"] for voucher in await listed(api)} == {"used"}


async def test_second_registration_with_a_code_is_flagged(api: BookingCallers, station: BookingStation) -> None:
    await one_assigned(api)
    await station.take_reports(used(), used(registration_id="G2"))
    (voucher,) = await listed(api, "?flag=used_twice")
    assert voucher["used"]["registration_id"] == "G1"


async def test_codes_end_after_their_last_day_and_no_sooner(
    api: BookingCallers, station: BookingStation, programs: dict[str, Program]
) -> None:
    last = programs["cisco"].day_of(station.base.clock.now())
    voucher_id = await one_assigned(api, valid_until=f"{last}")
    await imported(api, {"code": "CODE-ENDLESS"})
    await station.run("vouchers")
    assert {one["state"] for one in await listed(api)} == {"free", "assigned"}
    station.base.clock.advance(timedelta(days=1))
    await station.run("vouchers")
    await station.run("vouchers")
    (voucher,) = await listed(api, "?state=expired")
    assert (voucher["voucher_id"], [line["what"] for line in voucher["history"]][-1]) == (voucher_id, "expired")
    assert len(voucher["history"]) == 3
    assert (await api.candidate("POST", f"/vouchers/{voucher_id}/showing"))[0] == 409


async def test_withdrawn_code_is_good_for_nothing(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api)
    for _ in range(2):
        status, voucher = await api.staff("POST", f"/vouchers/{voucher_id}/withdrawal", reason="sold twice")
        assert (status, voucher["state"], len(voucher["history"])) == (200, "withdrawn", 3)
    assert (await api.candidate("POST", f"/vouchers/{voucher_id}/showing"))[0] == 409
    assert (await api.staff("POST", f"/vouchers/{voucher_id}/assignment", candidate_id="C1"))[0] == 409
    await station.take_reports(used())
    (voucher,) = await listed(api, "?flag=was_withdrawn")
    assert voucher["state"] == "used"


async def test_stock_is_counted(api: BookingCallers, station: BookingStation) -> None:
    await imported(api, count=3)
    await api.staff("POST", "/voucher-batches/spring/assignments", candidate_id="C1")
    await station.run("vouchers")
    assert FREE.labels("cisco", "spring")._value.get() == 2
    _, page = await api.staff("GET", "/voucher-batches")
    (batch,) = page["items"]
    assert (batch["free"], batch["assigned"], batch["used"]) == (2, 1, 0)


async def test_registry_is_for_whom_it_is(api: BookingCallers) -> None:
    voucher_id = await one_assigned(api)
    lesser = OPERATOR - VOUCHERS_MANAGE
    for path in ("/vouchers", f"/vouchers/{voucher_id}", "/voucher-batches"):
        assert (await api.staff("GET", path, scopes=lesser))[0] == 403
    assert (await api.staff("GET", f"/vouchers/{voucher_id}", program="juniper"))[0] == 404


async def test_assignment_tells_no_code(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api, exams=["200-301"], value="100 %", valid_until="2027-12-31")
    (event,) = station.said(exams.VoucherAssigned)
    assert event["data"] == {
        "candidate_id": "C1",
        "voucher_id": voucher_id,
        "kind": "voucher",
        "vendor": "vue",
        "exams": ["200-301"],
        "value": "100 %",
        "valid_until": "2027-12-31",
    }


async def test_erased_holder_leaves_no_code_that_is_good(api: BookingCallers, station: BookingStation) -> None:
    voucher_id = await one_assigned(api)
    erased = identity.CandidateErased(
        candidate_id="C1",
        accounts=[identity.ErasedAccount(candidate_id="C1", pseudonym="erased-1")],
        erased_at=station.base.clock.now(),
    )
    await station.take(received(erased))
    _, voucher = await api.staff("GET", f"/vouchers/{voucher_id}")
    assert (voucher["state"], voucher["candidate_id"]) == ("withdrawn", "erased-1")
    assert "C1" not in repr(voucher)


async def test_transaction_that_fails_uses_no_code(api: BookingCallers, station: BookingStation) -> None:
    """The use is a part of the report's own transaction."""
    voucher_id = await one_assigned(api)

    async def broken(transaction: Transaction, items: Any) -> None:
        work = next(each.work for each in station.parts.subscriptions if each.queue == "exams.vendors")
        await work(transaction, items)
        raise RuntimeError("at the last moment")

    with pytest.raises(RuntimeError):
        await station.base.handle(broken, used())
    _, voucher = await api.staff("GET", f"/vouchers/{voucher_id}")
    assert voucher["state"] == "assigned"
