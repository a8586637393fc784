"""Copies of candidates are others: no id twice, the same ones in every service, and what is shared stays as it is."""

from bson import Binary, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.copies import SPAN, copier
from tests.bench.sharding_runs import equalities, filter_of, unevenness

COPIES = st.integers(min_value=1, max_value=9_000)


@given(copy=COPIES, number=st.integers(min_value=0, max_value=SPAN - 1))
def test_numbers_move_by_whole_spans_wherever_they_stand(copy: int, number: int) -> None:
    moved = number + copy * SPAN
    copied = copier(
        {
            "_id": f"cisco:vue:V{number:08d}",
            "candidate_id": f"CSCO{number:08d}",
            "mail": {"to": f"c{number:08d}@bench.example", "kinds": [f"R{number:08d}"]},
            "share": f"100% of R{number:08d} and V{number:08d}",
            "title": "Cisco Certified Network Associate",
            "score": 870,
        }
    )(copy)
    assert copied == {
        "_id": f"cisco:vue:V{moved:08d}",
        "candidate_id": f"CSCO{moved:08d}",
        "mail": {"to": f"c{moved:08d}@bench.example", "kinds": [f"R{moved:08d}"]},
        "share": f"100% of R{moved:08d} and V{moved:08d}",
        "title": "Cisco Certified Network Associate",
        "score": 870,
    }


@given(first=COPIES, second=COPIES, raw=st.binary(min_size=16, max_size=64))
def test_random_ids_differ_between_copies_and_agree_within_one(first: int, second: int, raw: bytes) -> None:
    event = f"{ObjectId()}0"
    one, again, other = (
        copier({"_id": event, "cause": event, "seal": Binary(raw)})(copy) for copy in (first, first, second)
    )
    assert one["_id"] == again["cause"] != event
    assert (one["_id"] == other["_id"]) == (first == second)
    assert len(one["seal"]) == len(raw)


def test_an_id_that_says_nothing_of_a_candidate_is_another_in_a_copy() -> None:
    assert copier({"_id": "welcome"})(3)["_id"] == "welcome~3"


def test_a_credential_has_a_place_of_its_own_in_a_list_of_its_own() -> None:
    credential = {"_id": "a", "status_list": 1, "status_index": 7, "code": "YFCTKWDMHABJ"}
    places = {(copied["status_list"], copied["code"]) for copied in map(copier(credential), (1, 2))}
    assert len(places) == 2
    assert (1, "YFCTKWDMHABJ") not in places


def test_equality_and_choice_find_their_shards_and_comparison_does_not() -> None:
    condition = {
        "candidate_id": "C1",
        "state": {"$in": ["sent"]},
        "due": {"$lte": 3},
        "$and": [{"program": {"$eq": "cisco"}}, {"mail.to": {"$exists": True}}],
        "$or": [{"either": 1}],
    }
    assert set(equalities(condition)) == {"candidate_id", "state", "program"}


def test_filter_is_found_in_every_kind_of_operation() -> None:
    where = {"_id": "C1"}
    assert filter_of({"op": "query", "command": {"find": "x", "filter": where}}) == where
    assert filter_of({"op": "update", "command": {"q": where, "u": {}}}) == where
    assert filter_of({"op": "command", "command": {"findAndModify": "x", "query": where}}) == where
    assert filter_of({"op": "command", "command": {"aggregate": "x", "pipeline": [{"$match": where}]}}) == where
    assert filter_of({"op": "insert", "command": {"insert": "x"}}) is None


def test_one_value_for_all_leaves_the_other_shards_empty() -> None:
    assert unevenness(["cisco"] * 100) == 3.0
    assert unevenness([f"CSCO{number:08d}" for number in range(4_000)]) < 0.1
