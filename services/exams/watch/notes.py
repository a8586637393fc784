"""What a registration's document holds of the watch: `watch`, beside the appointment that it is about."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from libs.common.mongo.client import Document
from libs.common.privacy.pseudonyms import is_pseudonym
from libs.common.programs import Program
from services.exams.domain.appointments import State
from services.exams.domain.results import Grade, Status
from services.exams.domain.watch import AWAITED, Known, Promise, Stage, Step, Told, promise, promised


def noted(row: Document, now: datetime) -> Document:
    """The `watch` of a registration of which something was heard: it is looked at when its appointment is.

    What was looked at before is looked at at once, because what was found then may be so no more.
    """
    before: Document = row.get("watch") or {"heard_at": now}
    look_at = now if before.get("stage") else row["scheduled_at"]
    return without(before, "next_at") if look_at is None else {**before, "next_at": look_at}


def without(watch: Document, name: str) -> Document:
    return {key: value for key, value in watch.items() if key != name}


def is_watched(row: Document) -> bool:
    """Whether a result of it is waited for: the registration itself has come, and it is of nobody who was erased."""
    erased = row["candidate_id"] is not None and is_pseudonym(row["candidate_id"])
    return row["link"] is not None and not erased


def known_of(row: Document, *, arrived: bool) -> Known:
    return Known(State(row["state"]), row["scheduled_at"], row["watch"]["heard_at"], row["candidate_id"], arrived)


def told_of(row: Document) -> Told:
    told = row["watch"].get("told") or {}
    return Told(Stage(told["stage"]) if told else None, told.get("to"), row["watch"].get("times", 0))


def promise_of(row: Document, program: Program) -> Promise | None:
    """What was promised when the appointment was first looked at, or would be; None where no day is known."""
    if row["scheduled_at"] is None:
        return None
    made = row["watch"]
    if made.get("promised_for") == row["scheduled_at"]:
        days = (date.fromisoformat(made[name]) for name in ("counted_from", "due_on", "overdue_on"))
        return promised(program, *days)
    return promise(program, row["scheduled_at"], made["heard_at"])


def stage_before(row: Document) -> Stage | None:
    stage = row["watch"].get("stage")
    return Stage(stage) if stage else None


def after(row: Document, step: Step, due: Promise | None) -> Document:
    """The `watch` as a look leaves it."""
    told = step.told
    watch: Document = {
        "heard_at": row["watch"]["heard_at"],
        "stage": step.stage.value,
        "awaited": step.stage in AWAITED,
        "told": {"stage": told.stage.value, "to": told.to} if told.stage else None,
        "times": told.times,
    }
    if step.look_at is not None:
        watch["next_at"] = step.look_at
    if due is not None and step.stage is not Stage.AHEAD:
        watch |= {
            "promised_for": row["scheduled_at"],
            "counted_from": due.counted_from.isoformat(),
            "due_on": due.due_on.isoformat(),
            "overdue_on": due.overdue_on.isoformat(),
        }
    return watch


def unwatched(row: Document) -> Document:
    """The `watch` of a registration of whose result nobody is told any more."""
    return {"heard_at": row["watch"]["heard_at"], "awaited": False}


def is_reported(result: Document) -> bool:
    """Whether the vendor has reported it; measures alone come before a report."""
    return result["state"] is not None


def is_being_checked(result: Document) -> bool:
    """Whether there is no grade yet for the candidate: pending, or on hold. Nothing here tells the two apart."""
    return bool(result["status"] == Status.ON_HOLD or result["grade"] == Grade.PENDING)


def belongs(result: Document, registration: Document, survivors: Mapping[str, str]) -> bool:
    """Whether a result is of the person whose appointment it names."""
    if result["candidate_id"] is None or registration["candidate_id"] is None:
        nobodys = result["candidate_id"] is None and registration["candidate_id"] is None
        return nobodys and bool(result["link"] == registration["link"])
    return _person(result, survivors) == _person(registration, survivors)


def _person(row: Mapping[str, Any], survivors: Mapping[str, str]) -> str:
    return survivors.get(row["candidate_id"], row["candidate_id"])
