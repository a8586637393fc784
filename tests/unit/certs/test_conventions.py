"""The conventions of the worked cases, sentence by sentence, where no case of the file covers them.

A history is written as `CODE DAY` for a pass, with `fail` or `no_show` behind it for another outcome; everything else
as an input of the cases.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from libs.common.programs import Program, load_definition
from services.certs.cases import Case, answer, read_inputs
from services.certs.domain.evaluate import evaluate

Given = str | dict[str, Any]


def _input(given: Given) -> dict[str, Any]:
    if not isinstance(given, str):
        return given
    code, day, *outcome = given.split()
    return {"type": "exam", "code": code, "date": day, "outcome": outcome[0] if outcome else "pass"}


class Told:
    """What is told of a history."""

    def __init__(self, program: Program, history: Sequence[Given], as_of: str) -> None:
        facts = read_inputs([_input(given) for given in history], program)
        standing = evaluate(program, facts, date.fromisoformat(as_of))
        self.all = answer(Case(inputs=[]), program, standing, facts)
        self.entries = {entry["cert"]: entry for entry in self.all["certifications"]}
        self.flags = self.all["flags"]

    def __getitem__(self, name: str) -> str | None:
        entry = self.entries.get(name)
        return f"{entry['status']} {entry['earned']} {entry['expires']}".strip() if entry else None


def ce(credits_: int, completed: str, **more: Any) -> dict[str, Any]:
    return {"type": "ce", "credits": credits_, "completed": completed, "status": "validated", **more}


def course(level: str, track: str, last_day: str, **more: Any) -> dict[str, Any]:
    given = {"type": "course", "code": "C", "level": level, "track": track, "last_day": last_day}
    return given | {"delivery": "open_enrolment"} | more


def balance(cert: str, earned: str, expires: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "import_cert", "cert": cert, "earned": earned, **({"expires": expires} if expires else {}), **more}


def changed(kind: str, exam: str, day: str, **more: Any) -> dict[str, Any]:
    code, exam_date = exam.split()
    return {"type": f"{kind}_result", "code": code, "exam_date": exam_date, "date": day, **more}


def programwide(kind: str, day: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "date": day, **more}


CCNP = ["350-401 2023-05-01", "300-410 2023-09-01"]
CCIE = ["350-401 2023-01-10", "CCIE-EI-LAB 2024-06-01"]
CCNA = "200-301 2023-05-10"
JNCIS = ["JN0-105 2023-09-01", "JN0-351 2023-10-01"]

CISCO: list[tuple[str, list[Given], str, dict[str, str | None], set[str]]] = [
    # --- What is known, and from when
    ("received later is invisible", [{**_input(CCNA), "received": "2023-06-01"}], "2023-05-31", {"CCNA": None}, set()),
    ("received today is known", [{**_input(CCNA), "received": "2023-06-01"}], "2023-06-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("embargo leaves no flag", [{**_input(CCNA), "embargo_until": "2023-06-01"}], "2023-05-31", {"CCNA": None}, set()),
    ("embargo over", [{**_input(CCNA), "embargo_until": "2023-06-01"}], "2023-06-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("before the hold it counts", [{**_input(CCNA), "held": "2023-06-01"}], "2023-05-31",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("held", [{**_input(CCNA), "held": "2023-06-01", "released": "2023-07-01"}], "2023-06-30",
     {"CCNA": None}, {"RESULT_ON_HOLD"}),
    ("released", [{**_input(CCNA), "held": "2023-06-01", "released": "2023-07-01"}], "2023-07-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("a decided claim is pending before its decision",
     [CCNA, ce(30, "2026-05-01", status="rejected", validated="2026-06-01")], "2026-05-20",
     {"CCNA": "expired 2023-05-10 2026-05-10"}, {"CE_PENDING"}),
    ("a claim is known when it is submitted", [CCNA, ce(30, "2025-05-01", submitted="2025-06-01")], "2025-05-31",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("revoked", [CCNA, changed("revoke", CCNA, "2024-01-01")], "2024-01-01", {"CCNA": None}, set()),
    ("not yet revoked", [CCNA, changed("revoke", CCNA, "2024-01-01")], "2023-12-31",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("modified to a fail", [CCNA, changed("modify", CCNA, "2024-01-01", outcome="fail")], "2024-01-01",
     {"CCNA": None}, set()),
    ("modified to a pass", [CCNA + " fail", changed("modify", CCNA, "2024-01-01", outcome="pass")], "2024-01-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("a change of nothing", [CCNA, changed("revoke", "200-301 2023-05-11", "2024-01-01")], "2024-01-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, {"RESULT_UNKNOWN"}),
    ("unknown exam", ["999-999 2023-05-10"], "2024-01-01", {}, {"EXAM_UNKNOWN"}),
    ("dated ahead", [{**_input(CCNA), "received": "2022-01-01"}], "2022-01-01", {"CCNA": None}, {"DATED_AHEAD"}),
    ("before the first day it counts", ["350-101 2026-01-10"], "2026-02-01",
     {"Specialist-350-101": "active 2026-01-10 2029-01-10"}, {"EXAM_NOT_YET_OFFERED"}),
    # --- Identity and retakes
    ("two inputs of one registration are one", [{**_input(CCNA), "registration": "R"}] * 2, "2024-01-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("one code on one date is one", [CCNA, {**_input(CCNA), "received": "2023-06-01"}], "2024-01-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("free again on the fifth day", ["200-301 2023-05-05 fail", CCNA], "2024-01-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("not on the fourth", ["200-301 2023-05-06 fail", CCNA], "2024-01-01", {"CCNA": None}, {"RETAKE_WAIT"}),
    ("a no-show starts no wait", ["200-301 2023-05-09 no_show", CCNA], "2024-01-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("a voided fail starts no wait", ["200-301 2023-05-09 fail", CCNA, changed("revoke", "200-301 2023-05-09",
     "2023-06-01")],
     "2024-01-01", {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("within 180 days of a pass", [CCNA, "200-301 2023-11-06"], "2024-01-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, {"RETAKE_AFTER_PASS"}),
    ("after 180 days", [CCNA, "200-301 2023-11-07"], "2024-01-01", {"CCNA": "active 2023-05-10 2026-11-07"}, set()),
    # --- Renewal by exam
    ("two concentrations of one cycle", [*CCNP, "300-715 2024-05-01", "300-710 2025-05-01"], "2025-06-01",
     {"CCNP-Enterprise": "active 2023-09-01 2028-05-01"}, set()),
    ("the same concentration twice is one", [*CCNP, "300-715 2024-05-01", "300-715 2025-05-01"], "2025-06-01",
     {"CCNP-Enterprise": "active 2023-09-01 2026-09-01"}, set()),
    ("what earned it does not renew it", [*CCNP, "300-715 2024-05-01"], "2025-06-01",
     {"CCNP-Enterprise": "active 2023-09-01 2026-09-01"}, set()),
    ("a renewal begins the next cycle", [*CCNP, "300-715 2024-05-01", "350-701 2024-06-01", "300-710 2025-05-01"],
     "2025-06-01", {"CCNP-Enterprise": "active 2023-09-01 2027-06-01", "CCNP-Security": "active 2024-06-01 2027-06-01"},
     set()),
    ("an associate exam renews no professional", [*CCNP, "200-301 2024-05-01"], "2025-06-01",
     {"CCNP-Enterprise": "active 2023-09-01 2026-09-01"}, set()),
    ("an expert written exam renews all but experts' own needs", [*CCNP, CCNA, "400-007 2025-05-01"], "2025-06-01",
     {"CCNP-Enterprise": "active 2023-09-01 2028-05-01", "CCNA": "active 2023-05-10 2028-05-01"}, set()),
    ("three concentrations renew an expert",
     [*CCIE, "300-715 2025-01-01", "300-710 2025-02-01", "300-730 2025-03-01"], "2025-06-01",
     {"CCIE-Enterprise-Infrastructure": "active 2024-06-01 2028-03-01"}, set()),
    ("one core alone renews what it suffices for, not the expert", [*CCIE, CCNA, "350-701 2025-03-01"], "2025-06-01",
     {"CCIE-Enterprise-Infrastructure": "active 2024-06-01 2027-06-01", "CCNA": "active 2023-05-10 2028-03-01",
      "Specialist-350-401": "active 2023-01-10 2028-03-01"}, set()),
    ("core and concentration renew an expert", [*CCIE, "350-701 2025-03-01", "300-410 2025-04-01"], "2025-06-01",
     {"CCIE-Enterprise-Infrastructure": "active 2024-06-01 2028-04-01"}, set()),
    ("entry certifications follow exams", ["100-150 2025-08-01", "200-301 2026-08-01"], "2026-09-01",
     {"CCST-Networking": "active 2025-08-01 2031-08-01"}, set()),
    ("the success manager renews by its own exam", ["820-605 2023-06-01", "820-605 2026-06-01"], "2026-09-01",
     {"Specialist-CSM": "active 2023-06-01 2029-06-01"}, set()),
    ("the success manager renews nothing else", [CCNA, "820-605 2025-06-01"], "2025-09-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    # --- Labs
    ("lab on the last day of the 36 months", ["350-401 2023-01-10", "CCIE-EI-LAB 2026-01-10"], "2026-02-01",
     {"CCIE-Enterprise-Infrastructure": "active 2026-01-10 2029-01-10"}, set()),
    ("lab without any written exam", ["CCIE-EI-LAB 2026-01-10"], "2026-02-01",
     {"CCIE-Enterprise-Infrastructure": None}, {"PREREQ_MISSING"}),
    ("a voided core leaves the lab without", [*CCIE, changed("revoke", CCIE[0], "2024-07-01")], "2024-07-01",
     {"CCIE-Enterprise-Infrastructure": None}, {"PREREQ_MISSING"}),
    # --- Credits
    ("credits of the whole cycle add up", [CCNA, ce(15, "2023-05-10"), ce(15, "2026-05-10")], "2026-06-01",
     {"CCNA": "active 2023-05-10 2029-05-10"}, set()),
    ("credits before the award help nothing", [CCNA, ce(30, "2023-05-09")], "2024-06-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, {"CE_UNUSABLE"}),
    ("credits after the last day help nothing", [CCNA, ce(30, "2026-05-11")], "2026-06-01",
     {"CCNA": "expired 2023-05-10 2026-05-10"}, {"CE_UNUSABLE"}),
    ("claimed on the ninetieth day", [CCNA, ce(30, "2025-01-10", submitted="2025-04-10")], "2025-06-01",
     {"CCNA": "active 2023-05-10 2028-01-10"}, set()),
    ("claimed a day late", [CCNA, ce(30, "2025-01-10", submitted="2025-04-11")], "2025-06-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, {"CE_LATE"}),
    ("an item counts once in a cycle", [CCNA, ce(15, "2024-01-01", item="X"), ce(15, "2025-01-01", item="X")],
     "2025-06-01", {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("and again in the next", [CCNA, ce(30, "2024-01-01", item="X"), ce(30, "2025-01-01", item="X")],
     "2025-06-01", {"CCNA": "active 2023-05-10 2028-01-01"}, set()),
    ("a renewal by exam lapses the credits", [CCNA, ce(20, "2024-01-01"), "200-201 2024-06-01", ce(20, "2025-01-01")],
     "2025-06-01", {"CCNA": "active 2023-05-10 2027-06-01"}, set()),
    ("credits of a lower level help no higher one",
     [CCNA, ce(25, "2023-05-20"), *CCNP[1:], ce(20, "2024-01-01")], "2024-06-01",
     {"CCNA": "active 2023-05-10 2026-09-01", "Specialist-300-410": "active 2023-09-01 2026-09-01"}, set()),
    ("forty credits renew a specialist and what is below", [CCNA, "300-410 2023-09-01", ce(40, "2024-01-01")],
     "2024-06-01", {"CCNA": "active 2023-05-10 2027-01-01", "Specialist-300-410": "active 2023-09-01 2027-01-01"},
     set()),
    ("a mix with two professional exams",
     [*CCIE, "300-715 2025-01-01", ce(40, "2025-02-01"), "300-710 2025-03-01"], "2025-06-01",
     {"CCIE-Enterprise-Infrastructure": "active 2024-06-01 2028-03-01"}, set()),
    ("both parts of a mix in one cycle", [*CCNP, ce(40, "2024-01-01"), "350-701 2024-02-01", "300-420 2024-03-01"],
     "2024-06-01", {"CCNP-Enterprise": "active 2023-09-01 2027-02-01"}, set()),
    ("credits renew no entry certification", ["100-150 2025-08-01", "200-301 2025-09-01", ce(30, "2026-08-01")],
     "2026-09-01", {"CCST-Networking": "active 2025-08-01 2030-09-01", "CCNA": "active 2025-09-01 2029-08-01"}, set()),
    ("a level that is the highest again uses its credits",
     [CCNA, balance("CCNP-Enterprise", "2020-01-01", "2024-01-01"), ce(30, "2023-06-01"), ce(30, "2024-01-02")],
     "2024-06-01", {"CCNA": "active 2023-05-10 2027-01-02", "CCNP-Enterprise": "expired 2020-01-01 2024-01-01"}, set()),
    # --- What the program does
    ("retired on the day of the pass", [programwide("retire_cert", "2023-05-10", cert="CCNA"), CCNA], "2024-01-01",
     {"CCNA": None}, set()),
    ("renewed before its retirement", [CCNA, "200-201 2024-05-31", programwide("retire_cert", "2024-06-01",
     cert="CCNA")],
     "2025-01-01", {"CCNA": "active 2023-05-10 2027-05-31"}, set()),
    ("not renewed from the day on", [CCNA, "200-201 2024-06-01", programwide("retire_cert", "2024-06-01", cert="CCNA")],
     "2025-01-01", {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("before a rename the old id of an import", [balance("DevNet-Associate", "2025-01-01")], "2026-02-02",
     {"DevNet-Associate": "active 2025-01-01 2028-01-01", "CCNA-Automation": None}, set()),
    ("from the rename on the new one", [balance("DevNet-Associate", "2025-01-01")], "2026-02-03",
     {"CCNA-Automation": "active 2025-01-01 2028-01-01", "DevNet-Associate": None}, set()),
    ("renamed to an id of its own", [CCNA, programwide("rename_cert", "2024-01-01", **{"from": "CCNA",
     "to": "CCNA-N"})],
     "2024-01-01", {"CCNA-N": "active 2023-05-10 2026-05-10", "CCNA": None}, set()),
    ("a rename is known from its day", [CCNA, programwide("rename_cert", "2024-01-01", **{"from": "CCNA",
     "to": "CCNA-N"})],
     "2023-12-31", {"CCNA": "active 2023-05-10 2026-05-10", "CCNA-N": None}, set()),
    ("an extension leaves what is earned later", [programwide("program_extension", "2023-05-09", months=6), CCNA],
     "2024-01-01", {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("an extension covers the day's own awards", [programwide("program_extension", "2023-05-10", months=6), CCNA],
     "2024-01-01", {"CCNA": "active 2023-05-10 2026-11-10"}, set()),
    ("an extension told twice moves once", [CCNA, *[programwide("program_extension", "2024-01-01", months=6)] * 2],
     "2024-01-01", {"CCNA": "active 2023-05-10 2026-11-10"}, set()),
    ("an expired one is not covered without a window", [CCNA, programwide("program_extension", "2026-05-11", months=6)],
     "2026-06-01", {"CCNA": "expired 2023-05-10 2026-05-10"}, set()),
    ("added months are clamped", ["200-301 2020-08-31", programwide("program_extension", "2021-01-01", months=6)],
     "2021-06-01", {"CCNA": "active 2020-08-31 2024-02-29"}, set()),
    # --- Imports, emeritus, agreement
    ("an import lasts the program's years", [balance("CCNA", "2024-01-01")], "2024-06-01",
     {"CCNA": "active 2024-01-01 2027-01-01"}, set()),
    ("an import renews nothing below", [CCNA, balance("CCNP-Enterprise", "2024-01-01")], "2024-06-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("an import of what is not there", [balance("CCNX", "2024-01-01")], "2024-06-01", {}, {"CERTIFICATION_UNKNOWN"}),
    ("an unpaid year has no effect",
     [balance("CCDE", "2014-03-01", "2029-03-01"), programwide("emeritus_granted", "2029-02-15", cert="CCDE")],
     "2029-04-01", {"CCDE": "expired 2014-03-01 2029-03-01"}, {"EMERITUS_UNPAID"}),
    ("a year paid late counts from the payment",
     [balance("CCDE", "2014-03-01", "2029-03-01"),
      programwide("emeritus_granted", "2029-02-15", cert="CCDE", paid="2029-03-10")],
     "2029-03-10", {"CCDE": "emeritus 2014-03-01 2030-03-01"}, set()),
    ("a year granted after the last day follows nothing",
     [balance("CCDE", "2014-03-01", "2029-03-01"),
      programwide("emeritus_granted", "2029-03-02", cert="CCDE", paid="2029-03-02")],
     "2029-03-10", {"CCDE": "expired 2014-03-01 2029-03-01"}, {"EMERITUS_LATE"}),
    ("active while active, whatever is granted",
     [balance("CCDE", "2014-03-01", "2029-03-01"),
      programwide("emeritus_granted", "2029-02-15", cert="CCDE", paid="2029-02-15")],
     "2029-03-01", {"CCDE": "active 2014-03-01 2029-03-01"}, set()),
    ("twenty years with emeritus years are for life",
     [balance("CCDE", "2010-03-01", "2029-03-01"),
      programwide("emeritus_granted", "2029-02-15", cert="CCDE", paid="2029-02-15")],
     "2030-03-01", {"CCDE": "lifetime_emeritus 2010-03-01"}, set()),
    ("active beyond twenty years", [balance("CCDE", "2010-03-01", "2032-03-01")], "2031-03-01",
     {"CCDE": "active 2010-03-01 2032-03-01"}, set()),
    ("accepted", [CCNA, {"type": "agreement", "accepted": "2023-06-01"}], "2023-06-01",
     {"CCNA": "active 2023-05-10 2026-05-10"}, set()),
    ("not yet accepted", [CCNA, {"type": "agreement", "accepted": "2023-06-01"}], "2023-05-31",
     {"CCNA": "pending_agreement 2023-05-10 2026-05-10"}, set()),
]  # fmt: skip

JUNIPER: list[tuple[str, list[Given], str, dict[str, str | None], set[str]]] = [
    ("a lower exam of another track renews no specialist", [*JNCIS, "JN0-281 2026-01-01"], "2026-02-01",
     {"JNCIS-ENT": "active 2023-10-01 2026-10-01", "JNCIA-Junos": "active 2023-09-01 2029-01-01"}, set()),
    ("a waiting pass renews nothing", [*JNCIS, "JN0-683 2026-10-02"], "2026-10-03",
     {"JNCIS-ENT": "expired 2023-10-01 2026-10-01", "JNCIP-DC": None}, set()),
    ("a pass is used up by its award", [*JNCIS, "JN0-106 2026-12-01"], "2027-01-01",
     {"JNCIS-ENT": "expired 2023-10-01 2026-10-01"}, set()),
    ("a lab after the professional expired", [*JNCIS, "JN0-649 2024-01-01", "JPR-944 2027-01-02"], "2027-02-01",
     {"JNCIE-ENT": None}, {"PREREQ_EXPIRED"}),
    ("a lab on the professional's last day", [*JNCIS, "JN0-649 2024-01-01", "JPR-944 2027-01-01"], "2027-02-01",
     {"JNCIE-ENT": "active 2027-01-01 2030-01-01", "JNCIP-ENT": "active 2024-01-01 2030-01-01",
      "JNCIS-ENT": "active 2023-10-01 2030-01-01", "JNCIA-Junos": "active 2023-09-01 2030-01-01"}, set()),
    ("a lab does not wait", [*JNCIS, "JPR-944 2023-12-01", "JN0-649 2024-01-01"], "2024-02-01",
     {"JNCIE-ENT": None}, {"PREREQ_MISSING"}),
    ("fails are never forgotten",
     ["JN0-105 2022-01-01 fail", "JN0-105 2022-02-01", "JN0-105 2024-01-01 fail", "JN0-105 2024-01-15"], "2024-02-01",
     {"JNCIA-Junos": "active 2022-02-01 2025-02-01"}, {"RETAKE_WAIT"}),
    ("free on the fifteenth day", ["JN0-105 2024-01-01 fail", "JN0-105 2024-01-02 fail", "JN0-105 2024-01-17"],
     "2024-02-01", {"JNCIA-Junos": "active 2024-01-17 2027-01-17"}, set()),
    ("not on the fourteenth", ["JN0-105 2024-01-01 fail", "JN0-105 2024-01-02 fail", "JN0-105 2024-01-16"],
     "2024-02-01", {"JNCIA-Junos": None}, {"RETAKE_WAIT"}),
    ("the same code within 18 months", ["JN0-105 2024-01-01", "JN0-105 2025-07-01"], "2025-08-01",
     {"JNCIA-Junos": "active 2024-01-01 2027-01-01"}, {"RETAKE_AFTER_PASS"}),
    ("another code of it is free", ["JN0-105 2025-05-01", "JN0-106 2026-05-01"], "2026-06-01",
     {"JNCIA-Junos": "active 2025-05-01 2029-05-01"}, set()),
    ("a replaced code on its last day", ["JN0-105 2026-04-05"], "2026-05-01",
     {"JNCIA-Junos": "active 2026-04-05 2029-04-05"}, set()),
    # --- Courses
    ("a course renews its level and below", [*JNCIS, course("specialist", "ENT", "2026-09-11")], "2026-09-15",
     {"JNCIS-ENT": "active 2023-10-01 2029-09-11", "JNCIA-Junos": "active 2023-09-01 2029-09-11"}, set()),
    ("a course of another track", [*JNCIS, course("professional", "SEC", "2026-09-11")], "2026-09-15",
     {"JNCIS-ENT": "active 2023-10-01 2026-10-01", "JNCIA-Junos": "active 2023-09-01 2026-10-01"}, set()),
    ("a service provider course covers the shared associate", [*JNCIS, course("associate", "SP", "2026-09-11")],
     "2026-09-15", {"JNCIA-Junos": "active 2023-09-01 2029-09-11"}, set()),
    ("a course on the last active day", [*JNCIS, course("specialist", "ENT", "2026-10-01")], "2026-10-15",
     {"JNCIS-ENT": "active 2023-10-01 2029-10-01"}, set()),
    ("a private course does nothing before its approval",
     [*JNCIS, course("specialist", "ENT", "2026-09-11", delivery="private", submitted="2026-09-12",
     approved="2026-09-20")],
     "2026-09-19", {"JNCIS-ENT": "active 2023-10-01 2026-10-01"}, {"COURSE_PENDING"}),
    ("claimed after the last active day",
     [*JNCIS, course("specialist", "ENT", "2026-09-11", delivery="private", submitted="2026-10-02",
     approved="2026-10-03")],
     "2026-10-04", {"JNCIS-ENT": "expired 2023-10-01 2026-10-01"}, {"COURSE_LATE"}),
    ("a rejected course", [*JNCIS, course("specialist", "ENT", "2026-09-11", delivery="private", status="rejected")],
     "2026-10-04", {"JNCIS-ENT": "expired 2023-10-01 2026-10-01"}, set()),
    ("courses in a row under the present rule",
     [*JNCIS, course("specialist", "ENT", "2026-09-11"), course("specialist", "ENT", "2029-09-11")], "2029-09-15",
     {"JNCIS-ENT": "active 2023-10-01 2032-09-11"}, set()),
    ("the rule of the course's last day decides",
     [balance("JNCIS-ENT", "2014-01-01", "2020-01-15", last_renewal="course"), course("specialist", "ENT",
     "2020-01-01")],
     "2020-01-10", {"JNCIS-ENT": "active 2014-01-01 2023-01-01"}, set()),
    ("an unknown track", [*JNCIS, course("specialist", "XX", "2026-09-11")], "2026-09-15", {}, {"COURSE_UNKNOWN"}),
    # --- Emeritus
    ("another track's exam brings nothing back", [balance("JNCIE-ENT", "2021-06-10", "2032-01-01"),
     "JN0-664 2033-05-10"],
     "2033-06-01", {"JNCIE-ENT": "expired 2021-06-10 2032-01-01"}, set()),
    ("without nine years nothing comes back", [balance("JNCIE-ENT", "2021-06-10", "2024-06-10"), "JN0-650 2025-05-10"],
     "2025-06-01", {"JNCIE-ENT": "expired 2021-06-10 2024-06-10", "JNCIP-ENT": None}, set()),
    ("a reactivation leaves other tracks alone",
     [balance("JNCIE-ENT", "2021-06-10", "2032-01-01"), balance("JNCIP-SP", "2021-06-10", "2032-01-01"),
      balance("JNCIA-Junos", "2021-06-10", "2032-01-01"), "JN0-650 2033-05-10"], "2033-06-01",
     {"JNCIE-ENT": "active 2021-06-10 2036-05-10", "JNCIP-SP": "expired 2021-06-10 2032-01-01",
      "JNCIA-Junos": "active 2021-06-10 2036-05-10"}, set()),
    ("an expert alone is renewed by the professional exam",
     [balance("JNCIE-ENT", "2024-06-10"), "JN0-650 2026-05-10"], "2026-06-01",
     {"JNCIE-ENT": "active 2024-06-10 2029-05-10", "JNCIP-ENT": None}, set()),
    # --- Older rules
    ("an inactive year is no prerequisite until the rule changed",
     [balance("JNCIA-Junos", "2013-05-01", policy="2y+1y"), "JN0-343 2015-09-01"], "2015-09-15",
     {"JNCIA-Junos": "inactive 2013-05-01 2016-05-01", "JNCIS-ENT": None}, set()),
    ("and is one from that day", [balance("JNCIA-Junos", "2013-05-01", policy="2y+1y"), "JN0-343 2015-09-01"],
     "2015-10-01", {"JNCIA-Junos": "active 2013-05-01 2018-10-01", "JNCIS-ENT": "active 2015-10-01 2018-10-01"}, set()),
]  # fmt: skip


def check(program: Program, history: list[Given], as_of: str, expected: dict[str, str | None], flags: set[str]) -> None:
    told = Told(program, history, as_of)
    for name, entry in expected.items():
        assert told[name] == entry, name
    assert set(told.flags) == flags


@pytest.mark.parametrize("case", CISCO, ids=lambda case: case[0])
def test_cisco(cisco: Program, case: Any) -> None:
    check(cisco, *case[1:])


@pytest.mark.parametrize("case", JUNIPER, ids=lambda case: case[0])
def test_juniper(juniper: Program, case: Any) -> None:
    check(juniper, *case[1:])


def test_before_a_merge_each_account_stands_alone(cisco: Program) -> None:
    history: list[Given] = [
        {**_input(CCNP[0]), "account": "A"},
        {**_input(CCNP[1]), "account": "B"},
        {"type": "merge_accounts", "from": "B", "into": "A", "date": "2024-06-20"},
    ]
    apart = Told(cisco, history, "2024-06-19")
    assert {name: entry["account"] for name, entry in apart.entries.items()} == {
        "Specialist-350-401": "A",
        "Specialist-300-410": "B",
    }
    together = Told(cisco, history, "2024-06-20")
    assert together.entries["CCNP-Enterprise"]["account"] == "A"
    assert together["CCNP-Enterprise"] == "active 2023-09-01 2026-09-01"


def test_the_waiting_and_the_retake_are_told(juniper: Program) -> None:
    told = Told(juniper, ["JN0-683 2025-01-10", "JN0-105 2025-02-01 fail", "JN0-105 2025-02-02 fail"], "2025-03-01")
    assert told.all["progress"] == [{"cert": "JNCIP-DC", "missing": ["JNCIS-DC", "JNCIS-ENT"]}]
    assert told.all["earliest_retake"] == "2025-02-17"
    assert told.all["pdf_available"] is False


def test_a_designation_stays_after_the_certification_has_expired(juniper: Program) -> None:
    history: list[Given] = [balance("JNCIE-ENT", "2021-06-10", "2024-06-10", number="N-7")]
    entry = Told(juniper, history, "2030-06-10").entries["JNCIE-ENT"]
    assert (entry["status"], entry["designations"], entry["number"]) == ("expired", ["emeritus"], "N-7")
    assert Told(juniper, history, "2030-06-09").entries["JNCIE-ENT"]["designations"] == []


def test_an_older_course_rule_is_named_where_it_decided(juniper: Program) -> None:
    history: list[Given] = [balance("JNCIS-ENT", "2015-10-01", "2018-10-01"), course("specialist", "ENT", "2018-09-11")]
    told = Told(juniper, history, "2018-09-20")
    assert (told["JNCIS-ENT"], told.flags) == ("active 2015-10-01 2021-09-11", [])
    assert told.all["policy_version"] == "juniper-course-legacy"


EXTENSION = "\nextensions:\n  - {date: 2020-03-25, months: 6, window: [2020-03-01, 2020-09-30]}\n"


@pytest.mark.parametrize(
    ("as_of", "entry"),
    [("2020-03-24", "expired 2017-03-02 2020-03-02"), ("2020-03-25", "active 2017-03-02 2020-09-02")],
)
def test_extension_that_the_program_states_holds_for_everybody_from_its_day(
    juniper: Program, as_of: str, entry: str
) -> None:
    extended = load_definition(juniper.definition.replace("\nextensions: []\n", EXTENSION, 1), name="juniper.yaml")
    check(extended, [balance("JNCIA-Junos", "2017-03-02", "2020-03-02")], as_of, {"JNCIA-Junos": entry}, set())


def test_extension_that_no_definition_speaks_of_is_explained_by_its_fact_and_not_by_the_whole_file(
    juniper: Program,
) -> None:
    silent = load_definition(juniper.definition.replace("\nextensions: []\n", "\n", 1), name="juniper.yaml")
    clause = silent.clause("extensions")
    assert (clause.line, clause.wording) == (1, "the definition says nothing of extensions; the fact itself does")
    assert juniper.clause("extensions").line > 1
