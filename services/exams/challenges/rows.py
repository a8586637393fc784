"""A challenge as a document, and what events about it have in common."""

from datetime import date, datetime
from typing import Any

from libs.common.casework.progress import Stage
from libs.common.mongo.client import Document
from libs.common.programs import Program
from libs.common.programs.challenges import ChallengeRules
from services.exams.domain.challenges import Standing, due_on


def new_challenge(
    result: Document, standing: Standing, program: Program, rules: ChallengeRules, now: datetime
) -> Document:
    nothing: dict[str, Any] = dict.fromkeys(
        ("first", "assignee", "reason", "decided_at", "previous", "decided", "version")
    )
    return {
        "program": program.id,
        "result_id": result["_id"],
        "exam_code": result["exam_code"],
        "taken_on": result["taken_on"],
        "candidate_id": result["candidate_id"],
        "challenged": {"grade": standing.grade.value, "score": standing.score},
        "state": Stage.OPEN.value,
        "closed": False,
        "four_eyes": rules.four_eyes,
        "opened_at": now,
        "due_on": due_on(program, rules, now).isoformat(),
        "messages": [],
        "history": [],
        "evidence": [],
        "overtaken": False,
        **nothing,
    }


def about(challenge: Document) -> dict[str, Any]:
    return {
        "candidate_id": challenge["candidate_id"],
        "challenge_id": challenge["_id"],
        "result_id": challenge["result_id"],
        "exam_code": challenge["exam_code"],
        "taken_on": date.fromisoformat(challenge["taken_on"]),
    }
