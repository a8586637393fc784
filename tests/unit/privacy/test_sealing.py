"""Files cut up, sealed and joined again; archives that come out the same whatever the order of arrival."""

import io
import zipfile
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.errors import JoseError

from libs.common.events import exams
from libs.common.privacy import sealing
from libs.common.privacy.sealing import PIECE_BYTES, Piece, joined, new_key, pieces, public_part, seal, unseal
from services.identity.privacy.archive import archived
from services.identity.privacy.exports import answered

MADE = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
paths = st.text(alphabet="abc/.äß", min_size=1, max_size=9)
files = st.dictionaries(paths, st.binary(max_size=70), max_size=4)


@given(files)
def test_files_come_together_again(found: dict[str, bytes]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "PIECE_BYTES", 16)
        cut = [piece for path, content in found.items() for piece in pieces(path, content)]
    assert all(len(piece.content) <= 16 for piece in cut)
    assert joined(cut) == found


@settings(max_examples=20)
@given(paths, st.binary(max_size=200))
def test_sealed_piece_is_read_with_its_own_key_alone(path: str, content: bytes) -> None:
    key = new_key()
    sealed = seal(Piece(path, content), public_part(key))
    assert unseal(sealed, key) == (path, content)
    with pytest.raises(JoseError):
        unseal(sealed, new_key())


def test_largest_piece_fits_into_a_part_and_is_read() -> None:
    key, piece = new_key(), Piece("files/" + "ä" * 200, b"\0" * PIECE_BYTES)
    part = exams.PersonalDataPart(export_id="E", attempt=1, number=1, sealed=seal(piece, public_part(key)))
    assert unseal(part.sealed or "", key) == piece


@given(st.permutations([1, 2, 3]), st.booleans())
def test_answer_is_whole_when_all_of_it_is_here_in_any_order(order: list[int], repeated: bool) -> None:
    arrived: list[dict[str, Any]] = [{"service": "certs", "attempt": 1, "number": 4, "total": 3}]
    for count, number in enumerate(order, start=1):
        part = {"service": "certs", "attempt": 1, "number": number, "total": None}
        arrived = [part, *arrived, *([part] if repeated else [])]
        assert answered(arrived) == ({"certs": 1} if count == 3 else {})


def test_answers_to_two_questions_are_not_mixed() -> None:
    parts = [
        {"service": "certs", "attempt": 1, "number": 1, "total": None},
        {"service": "certs", "attempt": 2, "number": 2, "total": None},
        {"service": "certs", "attempt": 2, "number": 3, "total": 2},
    ]
    assert answered(parts) == {}
    assert answered([*parts, {"service": "certs", "attempt": 2, "number": 1, "total": None}]) == {"certs": 2}


@given(files)
def test_same_files_make_the_same_archive(found: dict[str, bytes]) -> None:
    first = b"".join(archived(found, MADE))
    assert first == b"".join(archived(dict(reversed(found.items())), MADE))
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == found
