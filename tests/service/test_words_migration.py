"""Results and appointments of before go on as if every word on them had been kept."""

from datetime import timedelta

from libs.common.mongo.links import own_link
from services.exams import migration_words
from services.exams.embargo import shown
from tests.service.conftest import OpenBase
from tests.service.samples import TAKEN, linked, received, reported, result
from tests.service.test_exams import Exams

BEFORE = {
    "program": "cisco",
    "vendor": "vue",
    "vendor_candidate_id": "P1",
    "link": "cisco:vue:P1",
    "candidate_id": "C1",
    "received_at": TAKEN,
    "version": 5,
    "registration_id": "G1",
    "exam_code": "200-301",
    "passing_score": 800.0,
    "scale_min": None,
    "scale_max": None,
    "sections": [],
    "score_report_url": None,
    "taken_at": TAKEN,
    "taken_on": "2025-03-10",
}


def revision(number: int, grade: str, score: float | None) -> dict[str, object]:
    known = TAKEN + timedelta(hours=number)
    return {"revision": number, "grade": grade, "score": score, "known_at": known, "event_id": f"E{number}"}


async def test_results_go_on(base_of: OpenBase) -> None:
    async with base_of("exams") as base:
        service = Exams(base)
        await service.link(received(linked()))
        await base.database["links"].delete_one({"_id": own_link("cisco", "C1")})
        revised = {"_id": "cisco:vue:R1", "result_id": "R1", "revision": 2, "grade": "pass", "score": 900.0, "moves": 1}
        revised["revisions"] = [revision(2, "pass", 900.0), revision(1, "fail", 500.0)]
        revised["told"] = {"revision": 2, "grade": "pass", "score": 900.0}
        waiting = {"_id": "cisco:vue:R2", "result_id": "R2", "revision": 1, "grade": "pending", "score": None}
        waiting |= {"revisions": [revision(1, "pending", None)], "told": None}
        appointment = {"_id": "cisco:vue:G1", "state": "scheduled", "said_at": TAKEN, "link": "cisco:vue:P1"}
        appointment |= {"moved_at": None, "scheduled_at": TAKEN, "candidate_id": "C1"}
        await base.database["results"].insert_many([BEFORE | revised, BEFORE | waiting])
        await base.database["registrations"].insert_one(appointment)
        for _ in range(2):  # a step may be cut off and run again
            await migration_words.MIGRATION.apply(base.database)

        view = shown(await service.result("R1"))
        assert (view["state"], view["grade"], view["score"]) == ("revised", "pass", 900.0)
        assert [(each["state"], each["grade"]) for each in view["revisions"]] == [
            ("final", "fail"),
            ("revised", "pass"),
        ]
        assert (await service.result("R2"))["state"] == "provisional"
        (row,) = await base.rows("registrations")
        assert (row["history"], row["reason"]) == ([], None)
        assert (await base.rows("links", _id=own_link("cisco", "C1")))[0]["candidate_id"] == "C1"

        await service.take(reported(result(result_id="R1", revision=2)))
        assert service.said() == [], "what was told is not told again"
        await service.take(reported(result(result_id="R1", revision=3, score=950.0)))
        assert service.told() == [("ExamResultRevised", "pass")]
        assert service.said()[-1]["data"]["revision"] == 4, "above what the move of a link had reached"
