"""Fields under keys that change: the newest seals, every one that is there opens, and only in its own place."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from libs.common.errors import Unavailable
from libs.common.field_keys import FIRST, FieldKeys

SECRET = SecretStr("f" * 32)
PLACE = "second_factors.secret"


def named(sealed: dict[str, str]) -> str:
    header = sealed["sealed"].partition(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["kid"])


@given(st.binary(max_size=300))
def test_sealed_value_opens_where_it_belongs_and_says_nothing(plain: bytes) -> None:
    keys = FieldKeys(SECRET)
    one, two = keys.seal(PLACE, plain), keys.seal(PLACE, plain)
    assert keys.open(PLACE, one) == keys.open(PLACE, two) == plain
    assert one["sealed"] != two["sealed"]
    assert (one["key"], named(one)) == (FIRST, FIRST)
    with pytest.raises(Unavailable):
        keys.open("second_factors.pending", one)
    with pytest.raises(Unavailable):
        FieldKeys(SecretStr("g" * 32)).open(PLACE, one)


def test_key_that_sorts_last_seals_and_all_that_are_there_open(tmp_path: Path) -> None:
    keys = FieldKeys(SECRET, tmp_path)
    first = keys.seal(PLACE, b"one")
    (tmp_path / "2026-01").write_text("a" * 32)
    second = keys.seal(PLACE, b"two")
    (tmp_path / "2027-01").write_text("b" * 32 + "\n")
    (tmp_path / ".hidden").write_text("c" * 32)
    third = keys.seal(PLACE, b"three")
    assert [named(one) for one in (first, second, third)] == [FIRST, "2026-01", "2027-01"]
    assert [keys.open(PLACE, one) for one in (first, second, third)] == [b"one", b"two", b"three"]
    (tmp_path / "2026-01").unlink()
    assert keys.open(PLACE, third) == b"three"
    with pytest.raises(Unavailable, match="2026-01"):
        keys.open(PLACE, second)


def test_largest_file_that_is_taken_can_be_read_again() -> None:
    plain = bytes(5 * 1024 * 1024)
    assert FieldKeys(SECRET).open(PLACE, FieldKeys(SECRET).seal(PLACE, plain)) == plain


def test_what_lay_there_before_is_read_as_it_is() -> None:
    assert FieldKeys(SECRET).open(PLACE, b"plain") == b"plain"


@pytest.mark.parametrize("content", ["short", "", "ü" * 40])
def test_key_that_is_none_stops_sealing_instead_of_weakening_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "2026-01").write_text(content)
    with pytest.raises(Unavailable, match="2026-01"):
        FieldKeys(SECRET, tmp_path).seal(PLACE, b"secret")


def test_folder_that_is_gone_stops_sealing_too(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="CERTRAIL_FIELD_KEYS_DIR"):
        FieldKeys(SECRET, tmp_path / "gone").seal(PLACE, b"secret")


def test_name_of_a_key_leads_out_of_no_folder(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("a" * 32)
    (tmp_path / "keys").mkdir()
    sealed = FieldKeys(SECRET).seal(PLACE, b"secret") | {"key": "../elsewhere"}
    with pytest.raises(Unavailable, match="there is no key"):
        FieldKeys(SECRET, tmp_path / "keys").open(PLACE, sealed)
