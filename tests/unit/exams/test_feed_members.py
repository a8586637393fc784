"""Zips opened with distrust: whatever is wrong with one is said, and no more of it is read than need be."""

import io
import random
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.exams.feeds import members
from services.exams.feeds.members import MOST_MEMBERS, Member, RefusedError, examine, header_of, member_lines
from tests.unit.exams.vendor_files import WRITTEN, cells, member, packed, result_file

MOST = 50_000_000


def refusal(path: Path, content: bytes, most: int = MOST) -> str:
    path.write_bytes(content)
    with pytest.raises(RefusedError) as refused:
        examine(path, most)
    assert refused.value.message
    return refused.value.code


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.zip"


def test_members_are_counted_and_read(path: Path) -> None:
    first, second = member(cells(), cells()), member(cells(), end=b"\r").removesuffix(b"\r")
    path.write_bytes(packed({"a.txt": first, "folder/": b"", "folder/b.txt": second, "empty.txt": b""}))
    assert examine(path, MOST) == [
        Member(0, 0, "a.txt", len(first), 3, WRITTEN),
        Member(1, 2, "folder/b.txt", len(second), 2, WRITTEN),
        Member(2, 3, "empty.txt", 0, 0, WRITTEN),
    ]
    assert header_of(path, 3) == b""
    assert header_of(path, 0) == first.split(b"\r\n")[0]
    with member_lines(path, 0) as lines:
        found = list(lines)
    with member_lines(path, 0, number=2, offset=found[1].after) as lines:
        assert list(lines) == found[2:]


@pytest.mark.parametrize(
    "name", ["../a.txt", "/etc/passwd", "a/../../b", "C:\\a.txt", "..\\a.txt", "a//b", "a\x07.txt", "./a.txt"]
)
def test_member_whose_name_leads_out_of_the_zip_is_refused(path: Path, name: str) -> None:
    assert refusal(path, packed({"good.txt": member(cells()), name: member(cells())})) == "member_name"


def test_bomb_is_refused_before_it_is_unpacked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "_counted", None)
    zeros = (bytes(1_000_000) for _ in range(40))
    assert refusal(path, packed({"a.txt": zeros})) == "bomb"


def test_bomb_that_lies_about_its_size_is_refused_while_it_is_unpacked(path: Path) -> None:
    zeros = (bytes(1_000_000) for _ in range(40))
    content = bytearray(packed({"a.txt": zeros, "b.txt": _noise(300_000)}))
    at = content.index(b"PK\1\2")
    struct.pack_into("<L", content, at + 24, 20_000_000)  # declared; 20 MB against 340 KB is no bomb yet
    assert refusal(path, bytes(content)) in {"bomb", "damaged"}


def test_more_than_the_limit_is_refused(path: Path) -> None:
    content = packed({"a.txt": _noise(600_000), "b.txt": _noise(600_000)})
    assert refusal(path, content, most=1_000_000) == "unpacked_too_large"


def test_member_that_is_larger_than_it_says_is_not_read_on(path: Path) -> None:
    content = bytearray(packed({"a.txt": _noise(3_000_000)}))
    struct.pack_into("<L", content, content.index(b"PK\1\2") + 24, 10)
    assert refusal(path, bytes(content), most=1_000_000) == "damaged"


def test_too_many_members_are_refused_however_the_zip_counts_them(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(path, packed({f"{n}.txt": b"" for n in range(MOST_MEMBERS + 1)})) == "too_many_members"
    monkeypatch.setattr(members, "_opened", None)  # which would read the whole list
    assert refusal(path, packed({f"{n}.txt": b"" for n in range(30_000)})) == "too_many_members"
    assert refusal(path, packed({f"{n}.txt": b"" for n in range(70_000)})) == "too_many_members"


def test_what_is_no_zip_is_refused(path: Path) -> None:
    assert refusal(path, b"") == "not_a_zip"
    assert refusal(path, b"PK\3\4") == "not_a_zip"
    assert refusal(path, member(cells())) == "not_a_zip"
    assert refusal(path, packed({})) == "empty"


def test_damage_anywhere_is_found_before_any_row_is_taken(path: Path) -> None:
    whole = result_file(*(cells(RegistrationID=f"G{n}") for n in range(500)))
    broken = bytearray(whole)
    broken[len(whole) // 2] ^= 0xFF
    assert refusal(path, bytes(broken)) == "damaged"
    assert refusal(path, whole[: len(whole) // 2]) == "not_a_zip"
    assert refusal(path, whole[len(whole) // 2 :]) == "damaged"


def test_encrypted_and_oddly_packed_members_are_refused(path: Path) -> None:
    content = bytearray(result_file(cells()))
    for at in (content.index(b"PK\3\4") + 6, content.index(b"PK\1\2") + 8):
        content[at] |= 1
    assert refusal(path, bytes(content)) == "encrypted"
    odd = io.BytesIO()
    with zipfile.ZipFile(odd, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a.txt", member(cells()))
    assert refusal(path, odd.getvalue()) == "compression"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.one_of(
        st.binary(max_size=400),
        st.tuples(st.integers(0, 400), st.binary(min_size=1, max_size=8)).map(lambda change: _with(*change)),
    )
)
def test_any_bytes_are_read_or_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with suppress(RefusedError):
        for each in examine(path, MOST):
            with member_lines(path, each.entry) as lines:
                list(lines)


def _with(at: int, change: bytes) -> bytes:
    content = bytearray(result_file(cells()))
    content[at : at + len(change)] = change
    return bytes(content)


def _noise(size: int) -> bytes:
    """What does not shrink."""

    return random.Random(size).randbytes(size)
