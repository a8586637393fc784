"""Which events `events tail` shows, and from where on."""

from datetime import UTC, datetime
from typing import Any

import pytest

from deploy.cli.errors import CliError
from deploy.cli.events import wanted
from deploy.cli.log_stream import parse_offset

EVENT: dict[str, Any] = {
    "type": "certrail.certs.CertificationAwarded.v1",
    "subject": "CSCO00000013",
    "data": {"candidate_id": "CSCO00000013"},
}


@pytest.mark.parametrize("pattern", ["*", "certs.*", "certrail.certs.*", "*Awarded*", "certs.CertificationAwarded.v?"])
def test_a_type_is_matched_with_and_without_the_common_prefix(pattern: str) -> None:
    assert wanted(EVENT, ["exams.*", pattern], None)


def test_other_types_and_other_candidates_are_left_out() -> None:
    assert not wanted(EVENT, ["exams.*"], None)
    assert not wanted(EVENT, ["*"], "CSCO00000014")
    assert wanted(EVENT, ["*"], "CSCO00000013")


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("first", "first"),
        ("next", "next"),
        ("1234", 1234),
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_a_beginning_is_a_word_a_number_or_a_moment(text: str, offset: object) -> None:
    assert parse_offset(text) == offset


@pytest.mark.parametrize("text", ["yesterday", "-1", "", "٣"])
def test_another_beginning_is_refused_with_the_option_named(text: str) -> None:
    with pytest.raises(CliError, match="--from"):
        parse_offset(text)
