"""The section of a vendor's definition that says how candidates are handed over."""

from typing import Any

import pytest
import yaml

from libs.common.programs.errors import ProgramErrors
from services.exams.scheduling.sign_on import SignOns
from services.exams.vendors.definition import load_vendor


def entry(**changes: Any) -> dict[str, Any]:
    form = {"kind": "digest", "url": "https://vendor.example/sso", "client": "certrail", "secret": "vue-sign-on"}
    return {name: value for name, value in (form | changes).items() if value is not None}


def read(*entries: dict[str, Any]) -> SignOns:
    definition = {"id": "vue", "name": "Vue", "programs": ["cisco", "juniper"], "sign_on": list(entries)}
    return load_vendor(yaml.safe_dump(definition), name="vue.yaml").sign_ons


def test_a_program_has_its_own_way_or_the_one_for_all() -> None:
    ways = read(entry(client="all"), entry(client="ours", programs=["cisco"], exams=["200-301"]))
    own, other = ways.find("cisco"), ways.find("juniper")
    assert own is not None
    assert other is not None
    assert (own.client, other.client) == ("ours", "all")
    assert (own.delivers("200-301"), own.delivers("350-401"), other.delivers("JN0-105")) == (True, False, True)
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
        {"programs": ["oracle"]},
    ],
)
def test_what_is_not_sound_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProgramErrors, match=r"vue\.yaml:"):
        read(entry(**wrong))


@pytest.mark.parametrize(
    "entries",
    [(entry(), entry()), (entry(programs=["cisco"]), entry(programs=["juniper", "cisco"]))],
)
def test_two_ways_for_one_program_are_refused(entries: tuple[dict[str, Any], ...]) -> None:
    with pytest.raises(ProgramErrors, match="entry"):
        read(*entries)


def test_vendor_on_this_machine_may_be_reached_without_tls() -> None:
    read(
        entry(url="http://127.0.0.1:9/sso"),
        entry(kind="openid", url="http://[::1]:9/begin", secret=None, programs=["cisco"]),
    )
