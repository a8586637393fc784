"""Bringing rows of several cursors together: nobody is lost, doubled or mixed up, whoever is missing where."""

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from deploy.doctor.dossiers import KINDS, Row, dossiers

PEOPLE = st.sampled_from(["CSCO01", "CSCO02", "JPR01", "erased-1", "Zoë"])
STREAMS = st.fixed_dictionaries({kind: st.lists(PEOPLE, max_size=8).map(sorted) for kind in KINDS})


@given(streams=STREAMS)
def test_every_row_is_in_the_dossier_of_its_candidate_once(streams: dict[str, list[str]]) -> None:
    rows = {kind: [(who, {"n": n}) for n, who in enumerate(people)] for kind, people in streams.items()}
    made = list(dossiers(rows))
    assert [each.candidate_id for each in made] == sorted({who for people in streams.values() for who in people})
    for kind, expected in rows.items():
        assert [(each.candidate_id, row) for each in made for row in each.of(kind)] == expected


def test_one_candidate_is_held_at_a_time() -> None:
    read: list[int] = []

    def stream() -> Iterator[tuple[str, Row]]:
        for number in range(1_000):
            read.append(number)
            yield f"{number:04d}", {}

    found = dossiers({"account": stream(), "ledger": stream()})
    next(found)
    assert len(read) <= 6
