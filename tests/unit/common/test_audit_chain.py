"""The chain of an audit log: whole where nothing happened to it, and found wanting after whatever did."""

import hashlib
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from libs.common.audit.chain import BEGINNING, Finding, Head, Seal, Verifier, digest, linked

Record = dict[str, Any]

WORDS = st.text(max_size=12)
CONTENTS = st.fixed_dictionaries(
    {
        "actor": WORDS,
        "status": st.integers(0, 599),
        "candidates": st.lists(WORDS, max_size=3),
        "about": st.dictionaries(st.sampled_from(["case_id", "merge_id"]), WORDS),
    }
)
LOGS = st.lists(CONTENTS, min_size=2, max_size=12)


def chain(contents: Sequence[Record], head: Head | None = None) -> list[Record]:
    return linked(head or Head(), [{"service": "exams", "program": "cisco", **content} for content in contents])


def found(records: Sequence[Record], *seals: Seal) -> Finding | None:
    verifier = Verifier("exams", "cisco", seals)
    for record in records:
        verifier.take(record)
    return verifier.end()


def seal_of(record: Record) -> Seal:
    return Seal(record["n"], record["hash"])


@given(LOGS, st.data())
def test_a_chain_that_nobody_touched_is_whole_under_any_of_its_seals(log: list[Record], data: st.DataObject) -> None:
    records = chain(log)
    seals = data.draw(st.lists(st.sampled_from(records)))
    assert found(records, *map(seal_of, seals)) is None


@given(LOGS, st.data())
def test_a_chain_written_in_parts_is_the_same(log: list[Record], data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(log) - 1))
    first = chain(log[:at])
    assert first + chain(log[at:], Head(first[-1]["n"], first[-1]["hash"])) == chain(log)


@given(LOGS, CONTENTS, st.data())
def test_any_change_of_one_record_is_found_and_named(log: list[Record], other: Record, data: st.DataObject) -> None:
    records = chain(log)
    at = data.draw(st.integers(0, len(log) - 1))
    field = data.draw(st.sampled_from([*other, "service", "program", "n", "prev", "hash", "added"]))
    value = other.get(field, "else")
    changed = {**records[at], field: value}
    if changed == records[at]:
        return
    finding = found([*records[:at], changed, *records[at + 1 :]])
    assert finding is not None
    assert finding.n == at + 1


@given(LOGS, CONTENTS, st.data())
def test_a_change_with_its_hash_made_anew_is_found_at_the_next_record_or_by_a_seal(
    log: list[Record], other: Record, data: st.DataObject
) -> None:
    records = chain(log)
    at = data.draw(st.integers(0, len(log) - 1))
    if all(records[at][name] == value for name, value in other.items()):
        return
    forged = chain([other], Head(at, records[at]["prev"]))
    finding = found([*records[:at], *forged, *records[at + 1 :]], seal_of(records[-1]))
    assert finding is not None
    assert finding.n in {at + 1, at + 2}


@given(LOGS, CONTENTS, st.data())
def test_a_chain_that_is_wholly_rewritten_is_found_by_any_seal_at_or_behind_the_change(
    log: list[Record], other: Record, data: st.DataObject
) -> None:
    records = chain(log)
    at = data.draw(st.integers(0, len(log) - 1))
    sealed = data.draw(st.integers(at, len(log) - 1))
    if log[at] == other:
        return
    finding = found(chain([*log[:at], other, *log[at + 1 :]]), seal_of(records[sealed]))
    assert finding is not None
    assert (finding.n, finding.fault) == (sealed + 1, "rewritten")


@given(LOGS, st.data())
def test_a_removal_is_found_and_the_first_that_is_gone_is_named(log: list[Record], data: st.DataObject) -> None:
    records = chain(log)
    begin = data.draw(st.integers(0, len(log) - 1))
    end = data.draw(st.integers(begin + 1, len(log)))
    finding = found([*records[:begin], *records[end:]], seal_of(records[-1]))
    assert finding is not None
    assert finding.n == begin + 1
    whole, cut = (begin, end) == (0, len(log)), end == len(log)
    assert finding.fault == ("missing" if whole else "truncated" if cut else "gap")


@given(LOGS, st.data())
def test_only_an_end_behind_the_last_seal_can_be_cut_off_unseen(log: list[Record], data: st.DataObject) -> None:
    records = chain(log)
    sealed = data.draw(st.integers(1, len(log)))
    left = data.draw(st.integers(0, len(log)))
    assert (found(records[:left], seal_of(records[sealed - 1])) is None) == (left >= sealed)


@given(LOGS, st.data())
def test_swapped_records_are_found(log: list[Record], data: st.DataObject) -> None:
    records = chain(log)
    one, two = sorted(data.draw(st.lists(st.integers(0, len(log) - 1), min_size=2, max_size=2, unique=True)))
    records[one], records[two] = records[two], records[one]
    finding = found(records)
    assert finding is not None
    assert finding.n == one + 1


@given(LOGS, CONTENTS, st.data())
def test_an_inserted_record_is_found(log: list[Record], other: Record, data: st.DataObject) -> None:
    records = chain(log)
    at = data.draw(st.integers(0, len(log) - 1))
    before = Head(at, records[at]["prev"])
    finding = found([*records[:at], *chain([other], before), *records[at:]])
    assert finding is not None
    assert finding.n in {at + 1, at + 2}


def test_a_record_of_another_chain_is_found() -> None:
    (record,) = linked(Head(), [{"service": "certs", "program": "cisco"}])
    finding = found([record])
    assert finding is not None
    assert finding.fault == "foreign"


def test_the_hash_is_sha256_over_canonical_json() -> None:
    record = {"b": ["ü", "\n"], "a": {"y": 1, "x": "<"}, "prev": BEGINNING, "hash": "not part of it"}
    # Written by hand after RFC 8785: names in order, no spaces, letters as they are in UTF-8.
    text = '{"a":{"x":"<","y":1},"b":["ü","\\n"],"prev":"' + BEGINNING + '"}'
    assert digest(record) == hashlib.sha256(text.encode()).hexdigest()
