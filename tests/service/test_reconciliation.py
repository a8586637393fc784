"""A vendor's list against ours through the service: found once, in flat memory, acted upon once."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.cli.client import OperatorClient
from deploy.cli.main import app
from libs.common.events import vendors
from libs.common.programs import Program
from services.exams.reconciliation.runs import Runs
from tests.service.conftest import OpenBase
from tests.service.outgoing_station import Callers, OutgoingStation, person
from tests.service.rig import said
from tests.service.samples import linked, received, registration, reported

DAY = datetime(2026, 11, 20, 15, tzinfo=UTC)
PERIOD = "?vendor=vue&first=2026-11-01&last=2026-11-30"
TSV = "text/tab-separated-values"
HEADER = "RegistrationID\tVendorCandidateID\tExamSeriesCode\tStatus\tAppointmentDate"


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program], tmp_path: Path) -> AsyncIterator[OutgoingStation]:
    async with base_of("exams") as base:
        station = OutgoingStation(base, programs, tmp_path)
        await station.take(received(person()), received(linked()))
        yield station


def listed(*lines: tuple[str, ...]) -> bytes:
    return "".join(f"{line}\r\n" for line in (HEADER, *("\t".join(one) for one in lines))).encode()


def line(key: str, state: str = "Scheduled", at: str = "2026-11-20 09:00", who: str = "P1") -> tuple[str, ...]:
    """Nine o'clock at the vendor's place is three in the afternoon in UTC."""
    return key, who, "200-301", state, at


async def compared(station: OutgoingStation, ask: Callers, content: bytes, form: str = TSV) -> dict[str, Any]:
    status, run = await ask.staff("POST", f"/reconciliations{PERIOD}", file=(form, content))
    assert (status, run["state"]) == (202, "reading"), run
    await station.run("reconciliation")
    _, run = await ask.staff("GET", f"/reconciliations/{run['reconciliation_id']}")
    assert run["state"] == "done"
    return dict(run)


async def findings(ask: Callers, run: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    _, page = await ask.staff("GET", f"/reconciliations/{run['reconciliation_id']}/findings{query}")
    return list(page["items"])


async def act(ask: Callers, run: dict[str, Any], finding: dict[str, Any], **body: Any) -> Any:
    path = f"/reconciliations/{run['reconciliation_id']}/findings/{finding['finding_id']}/action"
    return await ask.staff("PUT", path, **body)


async def test_list_is_compared_and_what_is_taken_is_settled(station: OutgoingStation) -> None:
    await station.report(
        *(reported(registration(registration_id=key, scheduled_at=DAY)) for key in ("G1", "G2", "G3")),
        reported(registration(registration_id="G8", scheduled_at=DAY + timedelta(days=60))),
    )
    content = listed(
        line("G1"), line("G2", "Cancelled"), line("G4"), line("G5", "No Show"), line("G 6"), line("G4", "Cancelled")
    )
    async with station.api() as ask:
        run = await compared(station, ask, content)
        assert run["counts"] == {
            "listed": 4,
            "equal": 1,
            "missing_here": 2,
            "missing_there": 1,
            "different": 1,
            "unreadable": 2,
        }
        found = await findings(ask, run)
        assert [(one["kind"], one["registration_id"], one["line"]) for one in found] == [
            ("different", "G2", None),
            ("missing_there", "G3", None),
            ("missing_here", "G4", None),
            ("missing_here", "G5", None),
            ("unreadable", None, 6),
            ("unreadable", None, 7),
        ]
        for one in found:
            status, answer = await act(ask, run, one, action="take_theirs")
            assert status == (200 if one["takeable"] else 409), answer
            assert one["takeable"] == (one["kind"] in ("different", "missing_here"))
        again = await compared(station, ask, content)
        assert {one["kind"] for one in await findings(ask, again)} == {"missing_there", "unreadable"}
        assert [one["takeable"] for one in await findings(ask, again, "?kind=missing_there")] == [False]
    rows = {row["registration_id"]: row for row in await station.base.rows("registrations")}
    assert [rows[key]["state"] for key in ("G1", "G2", "G4", "G5")] == [
        "scheduled",
        "cancelled",
        "scheduled",
        "no_show",
    ]
    assert rows["G4"]["candidate_id"] == "C1", "matched as if the vendor had told it itself"
    assert rows["G4"]["history"][-1]["source"] == {"kind": "file", "ref": f"{run['reconciliation_id']}:4"}
    told = [event["data"] for event in said(station.base) if event.get("subject") == "C1"]
    assert [one["change"] for one in told if one.get("registration_id") == "G2" and "change" in one] == ["cancelled"]


async def test_each_finding_is_acted_upon_once(station: OutgoingStation) -> None:
    async with station.api() as ask:
        run = await compared(station, ask, listed(line("G1"), line("G2"), line("G3")))
        first, second, third = await findings(ask, run)
        answers = await asyncio.gather(*(act(ask, run, first, action="take_theirs") for _ in range(4)))
        assert [status for status, _ in answers] == [200] * 4
        (row,) = await station.base.rows("registrations")
        assert len(row["history"]) == 1
        assert (await act(ask, run, first, action="dismiss", reason="no"))[0] == 409
        assert (await act(ask, run, second, action="dismiss"))[0] == 422
        assert (await act(ask, run, second, action="dismiss", reason="known to them"))[0] == 200
        _, asked = await act(ask, run, third, action="ask_vendor", reason="=who")
        assert (asked["action"]["by"], asked["action"]["kind"]) == ("staff:ada", "ask_vendor")
        assert await findings(ask, run, "?open=true") == []
        _, questions = await ask.staff("GET", f"/reconciliations/{run['reconciliation_id']}/questions.csv")
        assert [row.split(",")[0] for row in questions.decode().splitlines()] == ["registration_id", "G3"]
        assert "'=who" in questions.decode()
        _, everything = await ask.staff("GET", f"/reconciliations/{run['reconciliation_id']}/findings.csv")
        assert len(everything.decode().splitlines()) == 4
        assert (await ask.staff("GET", f"/reconciliations/{run['reconciliation_id']}", program="juniper"))[0] == 404


async def test_what_changed_since_is_not_overwritten(station: OutgoingStation) -> None:
    await station.report(reported(registration(registration_id="G1", scheduled_at=DAY)))
    async with station.api() as ask:
        run = await compared(station, ask, listed(line("G1", "Cancelled"), line("G2")))
        different, missing = await findings(ask, run)
        moved = DAY + timedelta(days=1)
        change = vendors.ExamAppointmentChanged(registration_id="G1", change="rescheduled", scheduled_at=moved)
        await station.report(reported(change), reported(registration(registration_id="G2", scheduled_at=DAY)))
        for one in (different, missing):
            status, problem = await act(ask, run, one, action="take_theirs")
            assert (status, "changed since" in problem["detail"]) == (409, True)
    assert [row["state"] for row in await station.base.rows("registrations")] == ["rescheduled", "scheduled"]


async def test_vendors_word_counts_though_its_clock_is_ahead(station: OutgoingStation) -> None:
    ahead = station.base.clock.now() + timedelta(days=1)
    await station.report(reported(registration(registration_id="G1", scheduled_at=DAY)))
    change = vendors.ExamAppointmentChanged(registration_id="G1", change="cancelled")
    await station.report(reported(change, time=ahead))
    async with station.api() as ask:
        run = await compared(station, ask, listed(line("G1")))
        (one,) = await findings(ask, run)
        assert (await act(ask, run, one, action="take_theirs"))[0] == 200
        assert (await compared(station, ask, listed(line("G1"))))["counts"]["equal"] == 1


async def test_list_by_our_own_ids_and_as_json_or_csv(station: OutgoingStation) -> None:
    plain = b"registration_id,candidate_id,exam_code,state,scheduled_at\nG1,C1,200-301,open,2026-11-20T15:00:00Z\n"
    same = (
        b'{"registration_id": "G1", "candidate_id": "C1", "exam_code": "200-301", "state": "open", '
        b'"scheduled_at": "2026-11-20T16:00:00+01:00"}\n'
    )
    async with station.api() as ask:
        run = await compared(station, ask, plain, "text/csv")
        (one,) = await findings(ask, run)
        assert (await act(ask, run, one, action="take_theirs"))[0] == 200
        for form, content in (("text/csv", plain), ("application/x-ndjson", same)):
            assert (await compared(station, ask, content, form))["counts"]["equal"] == 1
        status, problem = await ask.staff("POST", f"/reconciliations{PERIOD}", file=("text/csv", b"a,b\n1,2\n"))
        assert (status, problem["errors"][0]["code"]) == (422, "no_list")
        wrong = PERIOD.replace("vue", "psi")
        assert (await ask.staff("POST", f"/reconciliations{wrong}", file=("text/csv", plain)))[0] == 422
    (row,) = await station.base.rows("registrations")
    assert row["candidate_id"] == "C1"


async def test_list_in_the_vendors_folder_is_compared_once(station: OutgoingStation) -> None:
    (station.outbox / "registrations-cisco-20261101-20261130.txt").write_bytes(listed(line("G1")))
    (station.outbox / "registrations-cisco-20261101-20261131.txt").write_bytes(listed(line("G2")))
    (station.outbox / "registrations-juniper-20261101-20261130.txt").write_bytes(listed(line("G3")))
    (lists,) = station.reconciliation.lists
    for _ in range(2):
        await lists.run()
        await station.run("reconciliation")
    (run,) = await station.base.rows("reconciliations")
    assert (run["state"], run["counts"]["missing_here"], run["created_by"]) == ("done", 1, "vendor:vue")


@pytest.mark.parametrize(("every", "each"), [(3, 5), (5, 3)], ids=["they list more", "we have more"])
async def test_two_processes_compare_a_list_once(
    station: OutgoingStation, monkeypatch: pytest.MonkeyPatch, every: int, each: int
) -> None:
    monkeypatch.setattr(Runs, "WINDOW", 7)
    monkeypatch.setattr("services.exams.reconciliation.runs.CHUNK_BYTES", 20_000)
    keys = [f"G{n:04}" for n in range(0, 900, every)]
    ours = [f"G{n:04}" for n in range(0, 900, each)]
    for start in range(0, len(ours), 100):
        batch = ours[start : start + 100]
        await station.report(*(reported(registration(registration_id=key, scheduled_at=DAY)) for key in batch))
    other, _ = station.process()
    theirs = next(job for job in other.jobs if job.name == "reconciliation")
    async with station.api() as ask:
        content = listed(*(line(key) for key in reversed(keys)))
        _, run = await ask.staff("POST", f"/reconciliations{PERIOD}", file=(TSV, content))
        await asyncio.gather(station.run("reconciliation"), theirs.run())
        _, run = await ask.staff("GET", f"/reconciliations/{run['reconciliation_id']}")
    both = set(keys) & set(ours)
    assert (run["state"], run["counts"]) == (
        "done",
        {
            "listed": len(keys),
            "equal": len(both),
            "missing_here": len(keys) - len(both),
            "missing_there": len(ours) - len(both),
            "different": 0,
            "unreadable": 0,
        },
    )
    assert await station.base.rows("reconciliation_rows") == []
    assert await station.base.rows("reconciliation_chunks") == []


async def test_long_list_takes_no_more_memory_than_a_short_one(station: OutgoingStation) -> None:
    """What is in hand at the worst moment, from a folder: the list itself is nowhere as a whole."""
    path = station.outbox / "registrations-cisco-20261101-20261130.txt"
    (lists,) = station.reconciliation.lists
    peaks: list[int] = []
    for count in (4_000, 16_000):
        path.write_bytes(listed(*(line(f"G{count}-{n}") for n in range(count))))
        tracemalloc.start()
        await lists.run()
        while await station.base.rows("reconciliations", state={"$ne": "done"}):
            await station.run("reconciliation")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        path.unlink()
    assert peaks[1] < 1.5 * peaks[0], peaks


async def test_command_shows_what_does_not_agree(
    station: OutgoingStation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, found = tmp_path / "list.csv", tmp_path / "findings.csv"
    path.write_text(
        "registration_id,candidate_id,exam_code,state,scheduled_at\n"
        "G1,C1,200-301,cancelled,2026-11-20T15:00Z\nG2,C1,200-301,open,soon\n"
    )
    await station.report(reported(registration(registration_id="G1", scheduled_at=DAY)))
    async with station.api() as ask:
        for name, value in (("STATE_DIR", str(tmp_path)), ("GATEWAY_URL", ask.origin), ("OPERATOR_SECRET", "s" * 32)):
            monkeypatch.setenv(f"CERTRAIL_{name}", value)

        async def token(_client: OperatorClient) -> tuple[str, datetime]:
            return ask.staff_token(), datetime(2100, 1, 1, tzinfo=UTC)

        monkeypatch.setattr(OperatorClient, "token", token)
        words = ["vendors", "reconcile", str(path), "--vendor", "vue", "--program", "cisco"]
        words += ["--from", "2026-11-01", "--to", "2026-11-30", "--csv", str(found)]
        with capture_logs():  # the command owns standard output while it runs
            command = asyncio.create_task(asyncio.to_thread(CliRunner().invoke, app, words))
            while not command.done():
                await station.run("reconciliation")
                await asyncio.sleep(0.05)
        result = command.result()
    assert result.exit_code == 1, result.output
    assert "state: cancelled there, open here" in result.output
    assert "scheduled_at is no moment" in result.output
    assert len(found.read_text().splitlines()) == 3
