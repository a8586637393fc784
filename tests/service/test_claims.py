"""Credits and courses through the service: claimed, reported, reviewed, held; and the evidence behind them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.common.clock import FixedClock
from libs.common.events import identity, vendors
from libs.common.programs import Program
from tests.service.certs_station import Callers, CertsStation
from tests.service.conftest import OpenBase
from tests.service.samples import course, linked, passed, person, received, reported
from tests.service.test_exams import said

PDF = ("application/pdf", b"%PDF-1.7 attended")
ME = "/cisco/candidates/C1"
EXPIRES = "2028-03-10"
"""Of the CCNA that the samples' pass gives; 30 credits renew it."""


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 11, 20, 12, tzinfo=UTC))  # a Friday


@pytest.fixture
async def station(base_of: OpenBase, programs: dict[str, Program]) -> AsyncIterator[CertsStation]:
    async with base_of("certs") as base:
        yield CertsStation(base, programs)


@pytest.fixture
async def api(station: CertsStation) -> AsyncIterator[Callers]:
    await station.take(received(passed()), received(linked()))
    async with station.api() as callers:
        yield callers


def credit_claim(**changes: Any) -> dict[str, Any]:
    fields = {"item": "ENCOR-ILT", "title": "Core technologies", "credits": 30, "completed_on": "2026-10-01"}
    return fields | changes


def told(station: CertsStation, subject: str = "C1") -> list[str]:
    """Types of the events about a candidate, in order of their versions."""
    about = [event for event in said(station.base) if event["subject"] == subject]
    about.sort(key=lambda event: int(event["subjectversion"]))
    assert len({event["subjectversion"] for event in about}) == len(about)
    return [event["type"].split(".")[-2] for event in about]


async def expiry(api: Callers, path: str = ME, **who: str) -> str:
    _, found = await api.candidate("GET", f"{path}/certifications", **who)
    return str(found["certifications"][0]["expires_on"])


# --- Credit claims ---------------------------------------------------------------------------------------------------


async def test_claimed_credits_count_once_accepted_and_from_their_day(station: CertsStation, api: Callers) -> None:
    status, claim = await api.candidate("POST", f"{ME}/credit-claims", key="k", **credit_claim())
    assert (status, claim["state"], claim["due_on"]) == (201, "pending", "2026-11-25")
    assert await expiry(api) == EXPIRES
    assert (await api.candidate("GET", f"{ME}/credits"))[1]["entries"][0]["state"] == "pending"

    review = f"/cisco/reviews/{claim['submission_id']}"
    status, seen = await api.staff("POST", f"{review}/preview", credits=30)
    (change,) = seen["changes"]
    assert (status, change["kind"], change["after"]["expires_on"]) == (200, "moved", "2029-10-01")
    assert await expiry(api) == EXPIRES, "a preview decides nothing"
    status, decided = await api.staff("POST", f"{review}/decision", key="d", decision="accepted")
    assert (status, decided["state"], decided["decided_by"]) == (200, "accepted", "staff:ada")
    assert await expiry(api) == "2029-10-01"
    assert told(station) == [
        "CertificationAwarded",
        "CertificationRenewed",
        "CreditsRecorded",
        "CourseSubmissionDecided",
    ]
    _, ledger = await api.candidate("GET", f"{ME}/credits")
    (entry,) = ledger["entries"]
    assert (entry["state"], entry["used_by"]) == ("used", {"certification": "CCNA", "on": "2026-10-01"})
    assert (ledger["cycle_from"], ledger["counting"], ledger["may_be_held"]) == ("2026-10-01", 0, True)


async def test_same_key_claims_once_and_another_twice(station: CertsStation, api: Callers) -> None:
    answers = [await api.candidate("POST", f"{ME}/credit-claims", key="k", **credit_claim()) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    await api.candidate("POST", f"{ME}/credit-claims", key="other", **credit_claim(item="B"))
    _, listed = await api.candidate("GET", f"{ME}/submissions")
    assert [row["item"] for row in listed["items"]] == ["B", "ENCOR-ILT"]


async def test_rejected_claim_tells_why_and_counts_for_nothing(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    path = f"/cisco/reviews/{claim['submission_id']}/decision"
    status, problem = await api.staff("POST", path, decision="rejected")
    assert (status, problem["errors"][0]["message"]) == (422, "a rejection needs a reason")
    await api.staff("POST", path, decision="rejected", reason="The certificate names somebody else.")
    assert await expiry(api) == EXPIRES
    (event,) = [event for event in said(station.base) if "CourseSubmissionDecided" in event["type"]]
    assert (event["data"]["decision"], event["data"]["reason"]) == ("rejected", "The certificate names somebody else.")
    assert (await api.candidate("GET", f"{ME}/credits"))[1]["entries"][0]["state"] == "rejected"
    status, problem = await api.staff("POST", path, decision="accepted")
    assert (status, problem["type"]) == (409, "urn:certrail:problem:conflict")


async def test_reviewers_at_the_same_claim_decide_it_once(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    path = f"/cisco/reviews/{claim['submission_id']}/decision"
    answers = await asyncio.gather(*(api.staff("POST", path, key=str(n), decision="accepted") for n in range(4)))
    assert sorted(status for status, _ in answers) == [200, 409, 409, 409]
    assert told(station).count("CreditsRecorded") == 1


async def test_reviewer_corrects_the_credits(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(credits=300))
    path = f"/cisco/reviews/{claim['submission_id']}/decision"
    await api.staff("POST", path, decision="accepted", credits=29)
    assert await expiry(api) == EXPIRES
    assert (await api.candidate("GET", f"{ME}/credits"))[1]["counting"] == 29


async def test_withdrawn_claim_is_over(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    path = f"{ME}/submissions/{claim['submission_id']}"
    assert (await api.candidate("DELETE", path))[0] == 204
    assert (await api.candidate("DELETE", path))[0] == 204
    status, _ = await api.staff("POST", f"/cisco/reviews/{claim['submission_id']}/decision", decision="accepted")
    assert (status, await expiry(api)) == (409, EXPIRES)
    assert (await api.staff("GET", "/cisco/reviews"))[1]["items"] == []


async def test_accepted_claim_cannot_be_withdrawn(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    await api.staff("POST", f"/cisco/reviews/{claim['submission_id']}/decision", decision="accepted")
    assert (await api.candidate("DELETE", f"{ME}/submissions/{claim['submission_id']}"))[0] == 409


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"completed_on": "2026-11-21"}, "body.completed_on", "day"),
        ({"completed_on": "2026-08-21"}, "body.completed_on", "too_late"),
        ({"completed_on": "1901-01-01"}, "body.completed_on", "day"),
        ({"credits": 0}, "body.credits", "greater_than_equal"),
        ({"item": "no spaces"}, "body.item", "string_pattern_mismatch"),
        ({"held_until": "2026-11-20"}, "body.held_until", "day"),
        ({"held_until": "2126-11-20"}, "body.held_until", "day"),
        ({"evidence": ["C1:nothing"]}, "body.evidence", "unknown"),
    ],
)
async def test_claim_that_cannot_hold_is_refused_by_field(
    station: CertsStation, api: Callers, changes: dict[str, Any], path: str, code: str
) -> None:
    status, problem = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(**changes))
    assert (status, problem["errors"][0]["path"], problem["errors"][0]["code"]) == (422, path, code)
    assert await station.base.rows("submissions") == []


async def test_last_day_of_the_deadline_is_in_time(api: Callers) -> None:
    # 90 days after completion, the day of completion not counted.
    assert (await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(completed_on="2026-08-22")))[0] == 201


async def test_held_credits_renew_on_the_day_chosen(station: CertsStation, api: Callers, clock: FixedClock) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(held_until="2028-02-01"))
    await api.staff("POST", f"/cisco/reviews/{claim['submission_id']}/decision", decision="accepted")
    assert await expiry(api) == EXPIRES
    assert (await api.candidate("GET", f"{ME}/credits"))[1]["entries"][0]["state"] == "held"
    clock.advance(datetime(2028, 2, 1, 12, tzinfo=UTC) - clock.now())
    await station.run("expiry")
    assert await expiry(api) == "2031-02-01"
    assert "CertificationRenewed" in told(station)


async def test_hold_can_be_chosen_later_and_given_up(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    hold = f"{ME}/submissions/{claim['submission_id']}/hold"
    status, held = await api.candidate("PUT", hold, held_until="2027-06-01")
    assert (status, held["held_until"]) == (200, "2027-06-01")
    await api.staff("POST", f"/cisco/reviews/{claim['submission_id']}/decision", decision="accepted")
    assert await expiry(api) == EXPIRES
    await api.candidate("PUT", hold, held_until=None)
    assert await expiry(api) == "2029-10-01"
    status, problem = await api.candidate("PUT", hold, held_until="2027-06-01")
    assert (status, problem.get("detail")) == (409, "these credits renewed CCNA on 1 October 2026")


async def test_plan_tells_what_holding_a_claim_would_bring(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    key = claim["submission_id"]
    _, plan = await api.candidate("POST", f"{ME}/what-if", assume=[{"submission": key, "held_until": EXPIRES}])
    assert plan["changes"][0]["after"]["expires_on"] == "2031-03-10"
    _, plan = await api.candidate("POST", f"{ME}/what-if", assume=[{"submission": key}])
    assert plan["changes"][0]["after"]["expires_on"] == "2029-10-01"
    for assumed, path in (
        ({"submission": "nothing"}, "body.assume.0.submission"),
        ({"credits": 5, "held_until": "2020-01-01"}, "body.assume.0.held_until"),
        ({"exam": "350-401", "held_until": EXPIRES}, "body.assume.0"),
        ({"credits": 5, "submission": key}, "body.assume.0"),
    ):
        status, problem = await api.candidate("POST", f"{ME}/what-if", assume=[assumed])
        assert (status, problem["errors"][0]["path"]) == (422, path)


async def test_program_without_holding_refuses_it(base_of: OpenBase, programs: dict[str, Program]) -> None:
    async with base_of("certs") as base, CertsStation(base, programs).api() as api:
        path = "/juniper/candidates/C1/credit-claims"
        status, problem = await api.candidate("POST", path, program="juniper", **credit_claim())
        assert (status, problem["errors"][0]["code"]) == (422, "no_credits")


# --- Course claims ---------------------------------------------------------------------------------------------------


async def test_course_claim_renews_from_its_last_day_once_accepted(station: CertsStation) -> None:
    await station.take(received(passed("C2", "R2", exam_code="JN0-105"), program="juniper"))
    await station.take(received(passed("C2", "R3", exam_code="JN0-351"), program="juniper"))
    me, who = "/juniper/candidates/C2", {"who": "C2", "program": "juniper"}
    async with station.api() as api:
        _, file = await api.candidate("POST", f"{me}/evidence", file=PDF, **who)
        claim = {
            "course": "JIR",
            "title": "whatever",
            "completed_on": "2026-10-01",
            "delivery": "private",
            "evidence": [file["evidence_id"]],
        }
        status, problem = await api.candidate("POST", f"{me}/course-claims", **who, **(claim | {"evidence": []}))
        assert (status, problem["errors"][0]["path"]) == (422, "body.evidence")
        status, problem = await api.candidate(
            "POST", f"{me}/course-claims", **who, **(claim | {"delivery": "on_demand"})
        )
        assert (status, problem["errors"][0]["code"]) == (422, "not_claimed")
        status, made = await api.candidate("POST", f"{me}/course-claims", **who, **claim)
        assert (status, made["title"], made["level"]) == (201, "Junos Intermediate Routing", "specialist")
        review = f"/juniper/reviews/{made['submission_id']}"
        path = f"{review}/evidence/{file['evidence_id']}"
        assert await api.staff("GET", path, program="juniper") == (200, PDF[1])
        await api.staff("POST", f"{review}/decision", program="juniper", decision="accepted")
        _, found = await api.candidate("GET", f"{me}/certifications", **who)
        held = {entry["certification"]: entry["expires_on"] for entry in found["certifications"]}
        assert held["JNCIS-ENT"] == "2029-10-01"


async def test_course_nobody_knows_needs_its_level_and_track(station: CertsStation) -> None:
    await station.take(received(passed("C2", "R2", exam_code="JN0-105"), program="juniper"))
    await station.take(received(linked("P2", "C2"), program="juniper"))
    reference = person("P2")
    await station.take_reports(reported(course(candidate_ref=reference, course_code="NEW"), program="juniper"))
    async with station.api() as api:
        _, queue = await api.staff("GET", "/juniper/reviews", program="juniper")
        (row,) = queue["items"]
        path = f"/juniper/reviews/{row['submission_id']}/decision"
        for body, where in (({}, "body.level"), ({"level": "associate"}, "body.track")):
            status, problem = await api.staff("POST", path, program="juniper", decision="accepted", **body)
            assert (status, problem["errors"][0]["path"]) == (422, where)
        body = {"decision": "accepted", "level": "associate", "track": "Junos"}
        assert (await api.staff("POST", path, program="juniper", **body))[0] == 200
        _, found = await api.candidate("GET", "/juniper/candidates/C2/certifications", who="C2", program="juniper")
        assert found["certifications"][0]["expires_on"] == "2029-10-01"


# --- Reports of providers --------------------------------------------------------------------------------------------


async def test_reported_credits_count_at_once(station: CertsStation, api: Callers) -> None:
    await station.take_reports(reported(course(), vendor="vue"))
    assert await expiry(api) == "2029-10-01"
    assert told(station) == ["CertificationAwarded", "CertificationRenewed", "CreditsRecorded"]


@pytest.mark.parametrize("together", [True, False])
async def test_report_told_again_counts_once(station: CertsStation, api: Callers, together: bool) -> None:
    again = [reported(course(credits=10)) for _ in range(3)]
    if together:
        await station.take_reports(*again)
    else:
        for one in again:
            await station.take_reports(one)
    assert (await api.candidate("GET", f"{ME}/credits"))[1]["counting"] == 10
    assert told(station).count("CreditsRecorded") == 1


async def test_workers_with_the_same_report_take_it_once(station: CertsStation, api: Callers) -> None:
    await asyncio.gather(*(station.take_reports(reported(course(credits=10))) for _ in range(4)))
    assert (await api.candidate("GET", f"{ME}/credits"))[1]["counting"] == 10
    assert told(station).count("CreditsRecorded") == 1


async def test_completions_of_two_providers_are_two(station: CertsStation, api: Callers) -> None:
    await station.take(received(linked("P1", "C1", "acme")))
    await station.take_reports(reported(course(credits=10)), reported(course(credits=10), vendor="acme"))
    _, listed = await api.candidate("GET", f"{ME}/submissions")
    assert len(listed["items"]) == 2


async def test_report_before_its_person_is_known_counts_when_the_link_comes(station: CertsStation) -> None:
    await station.take_reports(reported(course()))
    (row,) = await station.base.rows("submissions")
    assert (row["state"], row["candidate_id"]) == ("unmatched", None)
    assert told(station) == []
    await station.take(received(linked("P9", "C9")))
    assert (await station.base.rows("submissions"))[0]["state"] == "unmatched"
    await station.take(received(passed()), received(linked()))
    async with station.api() as api:
        assert await expiry(api) == "2029-10-01"


async def test_report_and_its_link_at_the_same_moment_find_each_other(station: CertsStation) -> None:
    for n in range(20):
        report = reported(course(completion_id=f"K{n}", candidate_ref=person(f"P{n}")))
        await asyncio.gather(station.take_reports(report), station.take(received(linked(f"P{n}", f"C{n}"))))
    assert {row["state"] for row in await station.base.rows("submissions")} == {"accepted"}


async def test_own_candidate_id_is_taken_where_there_is_such_a_candidate(station: CertsStation, api: Callers) -> None:
    known = vendors.CandidateReference(kind="candidate_id", value="C1")
    stranger = vendors.CandidateReference(kind="candidate_id", value="C7")
    await station.take_reports(
        reported(course(candidate_ref=known)), reported(course(candidate_ref=stranger, completion_id="K2"))
    )
    states = {row["candidate_id"]: row["state"] for row in await station.base.rows("submissions")}
    assert states == {"C1": "accepted", None: "unmatched"}
    assert await expiry(api) == "2029-10-01"


async def test_nobody_is_found_by_a_mail_address_but_a_reviewer_names_them(station: CertsStation, api: Callers) -> None:
    reference = vendors.CandidateReference(kind="email", value="p1@example.com")
    await station.take_reports(reported(course(candidate_ref=reference)))
    _, queue = await api.staff("GET", "/cisco/reviews")
    (row,) = queue["items"]
    assert (row["state"], row["reference"]) == ("unmatched", {"kind": "email", "value": "p1@example.com"})
    path = f"/cisco/reviews/{row['submission_id']}/decision"
    status, problem = await api.staff("POST", path, decision="accepted")
    assert (status, problem["errors"][0]["code"]) == (422, "missing")
    status, problem = await api.staff("POST", path, decision="accepted", candidate_id="C404")
    assert (status, problem["errors"][0]["code"]) == (422, "unknown")
    assert (await api.staff("POST", path, decision="accepted", candidate_id="C1"))[0] == 200
    assert await expiry(api) == "2029-10-01"


async def test_report_without_credits_waits_for_a_reviewer(station: CertsStation, api: Callers) -> None:
    await station.take_reports(reported(course(credits=None)))
    assert await expiry(api) == EXPIRES
    (row,) = (await api.staff("GET", "/cisco/reviews"))[1]["items"]
    path = f"/cisco/reviews/{row['submission_id']}/decision"
    status, problem = await api.staff("POST", path, decision="accepted")
    assert (status, problem["errors"][0]["path"]) == (422, "body.credits")
    await api.staff("POST", path, decision="accepted", credits=30)
    assert await expiry(api) == "2029-10-01"


# --- Evidence --------------------------------------------------------------------------------------------------------


async def test_evidence_is_kept_once_and_only_for_its_candidate(station: CertsStation, api: Callers) -> None:
    first = await api.candidate("POST", f"{ME}/evidence", file=PDF)
    assert first == await api.candidate("POST", f"{ME}/evidence", file=PDF)
    status, file = first
    assert (status, file["media_type"], file["bytes"]) == (201, "application/pdf", len(PDF[1]))
    path = f"{ME}/evidence/{file['evidence_id']}"
    assert await api.candidate("GET", path) == (200, PDF[1])
    assert (await api.candidate("GET", path, who="C2"))[0] == 404
    other = path.replace("C1", "C2", 1)
    assert (await api.candidate("GET", other, who="C2"))[0] == 404
    claim = credit_claim(evidence=[file["evidence_id"]])
    assert (await api.candidate("POST", "/cisco/candidates/C2/credit-claims", who="C2", **claim))[0] == 422


@pytest.mark.parametrize(
    ("file", "status"),
    [
        (("application/pdf", b"MZ not a document"), 422),
        (("image/png", b"\xff\xd8\xff a jpeg"), 422),
        (("image/svg+xml", b"<svg/>"), 415),
        (("image/png", b"\x89PNG\r\n\x1a\n" + bytes(5 * 1024 * 1024)), 413),
    ],
)
async def test_file_that_is_not_what_it_says_is_refused(
    station: CertsStation, api: Callers, file: tuple[str, bytes], status: int
) -> None:
    assert (await api.candidate("POST", f"{ME}/evidence", file=file))[0] == status
    assert await station.base.rows("evidence") == []


async def test_largest_file_is_taken_whole(api: Callers) -> None:
    content = b"\x89PNG\r\n\x1a\n" + bytes(5 * 1024 * 1024 - 8)
    status, file = await api.candidate("POST", f"{ME}/evidence", file=("image/png", content))
    assert (status, file["bytes"]) == (201, 5 * 1024 * 1024)
    assert (await api.candidate("GET", f"{ME}/evidence/{file['evidence_id']}"))[1] == content


async def test_files_of_one_candidate_are_limited(api: Callers) -> None:
    answers = [await api.candidate("POST", f"{ME}/evidence", file=(PDF[0], PDF[1] + bytes([n]))) for n in range(21)]
    assert [status for status, _ in answers] == [201] * 20 + [422]


async def test_evidence_stays_while_it_is_needed_and_goes_when_it_has_served(
    station: CertsStation, api: Callers, clock: FixedClock
) -> None:
    _, file = await api.candidate("POST", f"{ME}/evidence", file=PDF)
    (row,) = await station.base.rows("evidence")
    assert row["expires_at"] == clock.now() + timedelta(days=1)
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(evidence=[file["evidence_id"]]))
    assert "expires_at" not in (await station.base.rows("evidence"))[0]
    await api.staff("POST", f"/cisco/reviews/{claim['submission_id']}/decision", decision="accepted")
    (row,) = await station.base.rows("evidence")
    assert row["expires_at"] == clock.now() + timedelta(days=90)


async def test_reviewer_hears_which_files_are_pictures(station: CertsStation, api: Callers) -> None:
    files = [
        (await api.candidate("POST", f"{ME}/evidence", file=file))[1]["evidence_id"]
        for file in (PDF, ("image/png", b"\x89PNG\r\n\x1a\n, a photograph"))
    ]
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(evidence=files))
    _, review = await api.staff("GET", f"/cisco/reviews/{claim['submission_id']}")
    assert (review["evidence"], review["pictures"]) == (files, files[1:])


# --- Who may what ----------------------------------------------------------------------------------------------------


async def test_queue_is_in_order_of_what_is_due_and_pages(
    station: CertsStation, api: Callers, clock: FixedClock
) -> None:
    for day in range(3):
        for number in range(2):
            await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(item=f"{day}-{number}"))
        clock.advance(timedelta(days=3))  # Friday, Monday, Thursday: due on Wednesday, Thursday, Tuesday
    _, first = await api.staff("GET", "/cisco/reviews?limit=4")
    _, second = await api.staff("GET", f"/cisco/reviews?limit=4&cursor={first['next']}")
    items = [row["item"] for row in (*first["items"], *second["items"])]
    assert (items, second["next"]) == (sorted(items), None)
    _, queue = await api.staff("GET", "/cisco/reviews")
    assert [row["overdue"] for row in queue["items"]] == [True] * 4 + [False] * 2


async def test_whoever_takes_a_claim_is_seen_by_others_until_it_is_left_or_decided(
    station: CertsStation, api: Callers, clock: FixedClock
) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    _, other = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(item="B"))
    review = f"/cisco/reviews/{claim['submission_id']}"
    before = told(station)
    taken = (await api.staff("PUT", f"{review}/assignee", assignee="staff:ada"))[1]
    assert datetime.fromisoformat(taken["assignee_since"]) == clock.now()
    clock.advance(timedelta(minutes=5))
    assert (await api.staff("GET", review, by="staff:ben"))[1]["assignee"] == "staff:ada"
    assert (await api.staff("PUT", f"{review}/assignee", assignee="staff:ada"))[1] == taken, "still the same"
    over = (await api.staff("PUT", f"{review}/assignee", by="staff:ben", assignee="staff:ben"))[1]
    assert (over["assignee"], over["assignee_since"] > taken["assignee_since"]) == ("staff:ben", True)
    for query, found in (
        ("assignee=staff:ben", [claim]),
        ("assignee=staff:ada", []),
        ("unassigned=true", [other]),
    ):
        _, page = await api.staff("GET", f"/cisco/reviews?{query}")
        assert [row["submission_id"] for row in page["items"]] == [each["submission_id"] for each in found], query
    _, mine = await api.candidate("GET", f"{ME}/submissions")
    assert "staff:" not in str(mine), "a candidate does not learn who works on it"
    left = (await api.staff("PUT", f"{review}/assignee", by="staff:ben", assignee=None))[1]
    assert (left["assignee"], left["assignee_since"]) == (None, None)
    assert told(station) == before, "the candidate is told nothing of it"
    await api.staff("PUT", f"{review}/assignee", assignee="staff:ada")
    decided = (await api.staff("POST", f"{review}/decision", by="staff:ben", decision="accepted"))[1]
    assert (decided["decided_by"], decided["assignee"]) == ("staff:ben", "staff:ada"), "nobody is kept from deciding"
    assert (await api.staff("PUT", f"{review}/assignee", assignee="staff:ben"))[0] == 409


async def test_nobody_reaches_what_is_anothers(station: CertsStation, api: Callers) -> None:
    _, claim = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim())
    key = claim["submission_id"]
    for method, path, body in (
        ("GET", f"{ME}/credits", {}),
        ("GET", f"{ME}/submissions", {}),
        ("DELETE", f"{ME}/submissions/{key}", {}),
        ("PUT", f"{ME}/submissions/{key}/hold", {"held_until": None}),
        ("POST", f"{ME}/credit-claims", credit_claim()),
        ("DELETE", f"/cisco/candidates/C2/submissions/{key}", {}),
    ):
        assert (await api.candidate(method, path, who="C2", **body))[0] == 404, path
    for path in ("/cisco/reviews", f"/cisco/reviews/{key}"):
        assert (await api.candidate("GET", path))[0] == 403
        assert (await api.staff("GET", path, program="juniper"))[0] == 404
    assert (await api.staff("GET", f"/juniper/reviews/{key}", program="juniper"))[0] == 404
    assert (await api.staff("POST", f"/cisco/reviews/{key}/decision", program="juniper", decision="accepted"))[0] == 404
    assert await expiry(api) == EXPIRES


# --- Merged accounts -------------------------------------------------------------------------------------------------


async def test_claim_of_a_merged_account_counts_for_the_one_that_goes_on(station: CertsStation, api: Callers) -> None:
    await station.take(received(linked("P2", "C2")))
    merged = identity.CandidatesMerged(
        merge_id="M1", candidate_id="C2", merged_id="C1", merged_at=station.base.clock.now()
    )
    _, before = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(credits=10))
    await station.take(received(merged))
    _, after = await api.candidate("POST", f"{ME}/credit-claims", **credit_claim(item="B", credits=20))
    for claim in (before, after):
        path = f"/cisco/reviews/{claim['submission_id']}/decision"
        assert (await api.staff("POST", path, decision="accepted"))[0] == 200
    assert await expiry(api, "/cisco/candidates/C2", who="C2") == "2029-10-01"
    assert "CreditsRecorded" not in told(station, "C1")
    assert told(station, "C2").count("CreditsRecorded") == 2
    for who in ("C1", "C2"):
        path = f"/cisco/candidates/{who}"
        _, listed = await api.candidate("GET", f"{path}/submissions", who=who)
        assert len(listed["items"]) == 2
        _, ledger = await api.candidate("GET", f"{path}/credits", who=who)
        assert {entry["state"] for entry in ledger["entries"]} == {"used"}
