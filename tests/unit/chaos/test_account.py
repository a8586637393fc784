"""The account of a chaos run: what is sent for a seed, and that every kind of difference is seen."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import islice

import pytest

from tests.chaos.suite.account import Found, expected_things, reckon, written
from tests.chaos.suite.load import Load, message

TODAY = date(2026, 11, 23)
ROWS = 600


def loaded(seed: int = 3) -> Load:
    load = Load("CHAOS", seed, TODAY)
    for _ in islice(load, ROWS):
        pass
    load.rest()
    return load


def all_well(load: Load) -> Found:
    expected = expected_things(load)
    letters = Counter({f"<{number}@example.com>": 1 for number in range(expected["mails"].total())})
    return Found(expected, deliveries=letters)


def test_the_same_seed_sends_the_same_messages() -> None:
    first, second = islice(Load("CHAOS", 3, TODAY), ROWS), islice(Load("CHAOS", 3, TODAY), ROWS)
    assert list(first) == list(second)


def test_a_load_has_something_of_everything() -> None:
    load = loaded()
    expected = expected_things(load)
    assert all(tally.total() > 0 for tally in expected.values())
    assert {kind for _, kind in expected["mails"]} == {"activation", "result", "congratulation"}
    assert {"pass", "fail", "invalidated"} <= {grade for _, grade in expected["results"]}
    assert any(last < TODAY.isoformat() for _, _, _, last in expected["certifications"]), "some have expired"
    assert load.climbers
    assert load.singles


def test_a_repeated_message_changes_nothing_that_is_expected() -> None:
    once, twice = loaded(), loaded()
    twice.singles += twice.singles
    twice.climbers += twice.climbers
    assert expected_things(once) == expected_things(twice)


def test_messages_carry_the_rows_own_id_so_that_a_repetition_is_one() -> None:
    row = next(iter(Load("CHAOS", 3, TODAY)))
    assert message(row).id == message(row).id == row["id"]


def test_an_account_without_a_difference_agrees() -> None:
    load = loaded()
    account = reckon(load, all_well(load), fallen=[])
    assert account.agrees
    assert [*written(account)][-1] == "everything agrees"


def lose(found: Found) -> None:
    found.things["certifications"].subtract([next(iter(found.things["certifications"]))])


def double(found: Found) -> None:
    found.things["kits"].update([next(iter(found.things["kits"]))])


def invent(found: Found) -> None:
    found.things["accounts"][("stranger@example.com",)] = 1


def tell_twice(found: Found) -> None:
    found.told["EmailSent", "CSCO1", "<1@example.com>"] = 2


def park(found: Found) -> None:
    found.parked = 1


def leave(found: Found) -> None:
    found.left["exams outbox"] = 4


def complain(found: Found) -> None:
    found.complaints.append("2 x certs-worker warning event_retried")


@pytest.mark.parametrize("wrong", [lose, double, invent, tell_twice, park, leave, complain])
def test_every_kind_of_difference_is_seen(wrong: Callable[[Found], None]) -> None:
    load = loaded()
    found = all_well(load)
    wrong(found)
    account = reckon(load, found, fallen=[])
    assert not account.agrees
    assert [*written(account)][-1] == "THE ACCOUNT DOES NOT AGREE"


def test_a_process_that_fell_is_seen() -> None:
    load = loaded()
    assert not reckon(load, all_well(load), fallen=["exams-worker ended by itself"]).agrees


def test_mails_under_the_same_id_are_counted_and_allowed() -> None:
    load = loaded()
    found = all_well(load)
    found.deliveries["<1@example.com>"] += 2
    account = reckon(load, found, fallen=[])
    assert account.repeated_mails == 2
    assert account.agrees
