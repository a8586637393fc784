"""Histories of every kind of input, drawn at random, for both sample programs."""

from datetime import date, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

CODES = {
    "cisco": [
        "200-301",
        "200-201",
        "100-150",
        "350-401",
        "350-701",
        "300-410",
        "300-415",
        "300-715",
        "820-605",
        "CCIE-EI-LAB",
        "LAB:CCIE-Security",
        "400-007",
        "CCDE-PRACTICAL",
        "300-810",
        "300-630",
        "no-such",
    ],
    "juniper": [
        "JN0-105",
        "JN0-106",
        "JN0-351",
        "JN0-352",
        "JN0-281",
        "JN0-683",
        "JN0-650",
        "JN0-649",
        "JPR-946",
        "JPR-981",
        "JN0-481",
        "JN0-364",
        "no-such",
    ],
}
CERTIFICATIONS = {
    "cisco": [
        "CCNA",
        "CCNP-Enterprise",
        "CCIE-Enterprise-Infrastructure",
        "CCDE",
        "Specialist-CSM",
        "CCST-Networking",
        "DevNet-Associate",
        "Specialist-350-401",
        "No-Such",
    ],
    "juniper": ["JNCIA-Junos", "JNCIS-ENT", "JNCIP-ENT", "JNCIE-ENT", "JNCIA-DC", "JNCIS-DC", "JNCIE-DC", "No-Such"],
}
FIRST = date(2012, 1, 1)
DAYS = st.one_of(
    st.integers(0, 5500).map(lambda days: FIRST + timedelta(days)),
    st.sampled_from([date(2016, 2, 29), date(2019, 2, 28), date(2020, 2, 29), date(2026, 4, 5), date(2015, 10, 1)]),
)
DATES = DAYS.map(str)
ACCOUNTS = st.sampled_from(["A", "B"])
OUTCOMES = st.sampled_from(["pass", "pass", "pass", "fail", "no_show"])


_LATER = st.integers(0, 120)
_DAYS_AFTER = {"received", "held", "released", "embargo_until", "submitted", "validated", "approved"}


def _input(kind: str, optional: dict[str, st.SearchStrategy[Any]] | None = None, **fields: Any) -> Any:
    """Inputs of one kind; what follows the input's own day is drawn as so many days after it."""
    return st.fixed_dictionaries({"type": st.just(kind), **fields}, optional=optional or {}).map(_dated)


def _dated(drawn: dict[str, Any]) -> dict[str, Any]:
    own = drawn.get("date") or drawn.get("completed") or drawn.get("last_day")
    start = date.fromisoformat(own) if own else FIRST
    return {key: str(start + timedelta(value)) if key in _DAYS_AFTER else value for key, value in drawn.items()}


def _after(*names: str) -> dict[str, st.SearchStrategy[Any]]:
    return dict.fromkeys(names, _LATER)


_CLAIMS = _input(
    "ce",
    {**_after("submitted", "validated"), "item": st.sampled_from(["X", "Y"])},
    credits=st.sampled_from([16, 30, 40, 80, 120]),
    completed=DATES,
    status=st.sampled_from(["validated", "validated", "pending", "rejected"]),
)
_COURSES = _input(
    "course",
    {**_after("submitted", "approved"), "status": st.just("rejected")},
    code=st.sampled_from(["IJOS", "JIR", "AJER"]),
    level=st.sampled_from(["associate", "specialist", "professional", "expert", "other"]),
    track=st.sampled_from(["JUNOS", "ENT", "SP", "DC", "XX"]),
    last_day=DATES,
    delivery=st.sampled_from(["open_enrolment", "on_demand", "private", "partner"]),
)
_CHANGES = st.sampled_from(["revoke_result", "unrevoke_result", "modify_result"])


@cache
def _exams(program: str) -> Any:
    fields = {"code": st.sampled_from(CODES[program]), "date": DATES, "outcome": OUTCOMES}
    plain = _input("exam", **fields)
    rare = _after("received", "held", "released", "embargo_until")
    return st.lists(st.one_of(plain, plain, _input("exam", rare, **fields)), min_size=1, max_size=8)


def _decisions(program: str) -> Any:
    return _input(
        "decision",
        {"until": DATES, "reason": st.just("as agreed"), **_after("received")},
        decision=st.sampled_from(["grant", "revoke", "suspend", "reinstate", "extend"]),
        cert=st.sampled_from(CERTIFICATIONS[program]),
        date=DATES,
    )


@cache
def _others(program: str) -> Any:
    """Of everything but exams a little."""
    certification = st.sampled_from(CERTIFICATIONS[program])
    balance = {
        "expires": st.integers(0, 2500).map(lambda days: str(date(2018, 1, 1) + timedelta(days))),
        "number": st.just("N-1"),
        "last_renewal": st.sampled_from(["exam", "course"]),
        "policy": st.sampled_from(["2y+1y", "other"]),
        "continuous_since": DATES,
    }
    window = st.tuples(DAYS, DAYS).map(lambda pair: [str(day) for day in sorted(pair)])
    return st.lists(
        st.one_of(
            _CLAIMS,
            _COURSES,
            _input("import_cert", balance, cert=certification, earned=DATES),
            _input("emeritus_granted", {"paid": DATES}, cert=certification, date=DATES),
            _decisions(program),
            _decisions(program),
            _input("program_extension", {"window": window}, months=st.integers(1, 12), date=DATES),
            _input("retire_cert", cert=certification, date=DATES),
            _input("rename_cert", **{"from": certification}, to=certification, date=DATES),
            _input("merge_accounts", **{"from": ACCOUNTS}, into=ACCOUNTS, date=DATES),
            _input("agreement", accepted=st.one_of(st.none(), DATES)),
        ),
        max_size=7,
    )


@st.composite
def histories(draw: st.DrawFn, program: str) -> list[dict[str, Any]]:
    """Inputs of a case: exams, what happens to them, and some of everything else."""
    exams = draw(_exams(program))
    inputs = [*exams, *draw(_others(program))]
    for one in draw(st.lists(st.sampled_from(exams), max_size=3)):
        change = {"type": draw(_CHANGES), "date": draw(DATES), "outcome": draw(OUTCOMES)}
        inputs.append(change | {"code": one["code"], "exam_date": one["date"]})
    if draw(st.integers(0, 4)) == 0:
        inputs = [one | {"account": draw(ACCOUNTS)} for one in inputs]
    return inputs
