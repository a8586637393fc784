"""The section of a vendor's definition that says how candidates are handed over."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from services.exams.scheduling.sign_on import SignOnShape, read_sign_ons

_SECTION: TypeAdapter[list[Any]] = TypeAdapter(list[SignOnShape])


def entry(**changes: Any) -> dict[str, Any]:
    form = {"kind": "digest", "url": "https://vendor.example/sso", "client": "certrail", "secret": "vue-sign-on"}
    return {name: value for name, value in (form | changes).items() if value is not None}


def read(*entries: dict[str, Any]) -> Any:
    return read_sign_ons(_SECTION.validate_python(list(entries)))


def test_a_program_has_its_own_way_or_the_one_for_all() -> None:
    ways = read(entry(client="all"), entry(client="ours", programs=["cisco"], exams=["200-301"]))
    assert (ways.find("cisco").client, ways.find("juniper").client) == ("ours", "all")
    assert ways.find("cisco").delivers("200-301")
    assert not ways.find("cisco").delivers("350-401")
    assert ways.find("juniper").delivers("JN0-105")
    assert read(entry(programs=["cisco"])).find("juniper") is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "http://vendor.example/sso"},
        {"url": "https://vendor.example/sso#part"},
        {"url": "javascript:alert(1)"},
        {"secret": None},
        {"secret": "../keys"},
        {"lifetime_seconds": 3600},
        {"lifetime_seconds": 0},
        {"clock_tolerance_seconds": 3600},
        {"kind": "sha1"},
        {"kind": "openid"},
        {"algorithm": "sha1"},
        {"candidate_fields": ["email"]},
        {"programs": []},
    ],
)
def test_what_is_not_sound_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read(entry(**wrong))


@pytest.mark.parametrize(
    "entries",
    [(entry(), entry()), (entry(programs=["cisco"]), entry(programs=["juniper", "cisco"]))],
)
def test_two_ways_for_one_program_are_refused(entries: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(ValueError, match="entr"):
        read(*entries)


def test_vendor_on_this_machine_may_be_reached_without_tls() -> None:
    read(
        entry(url="http://127.0.0.1:9/sso"),
        entry(kind="openid", url="http://[::1]:9/begin", secret=None, programs=["x1"]),
    )
