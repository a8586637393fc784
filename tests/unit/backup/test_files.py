"""Files of a backup: what is read is what was written, and nothing else passes for it."""

from pathlib import Path

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.backup import files
from deploy.backup.errors import BackupError
from deploy.backup.files import Key, reading, writing

KEYS = [None, Key(b"k" * 32)]
DOCUMENTS = [{"_id": number, "text": "Zoë" * number} for number in range(50)]


def written(path: Path, key: Key | None, documents: list[dict[str, object]] = DOCUMENTS) -> Path:
    with writing(path, key) as file:
        for document in documents:
            file.add(bson.encode(document))
    assert file.documents == len(documents)
    return path


@pytest.mark.parametrize("key", KEYS, ids=["open", "sealed"])
@given(documents=st.lists(st.dictionaries(st.text("abc", min_size=1), st.text() | st.integers(-9, 9)), max_size=20))
def test_documents_come_back_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, key: Key | None, documents: list[dict[str, object]]
) -> None:
    path = written(tmp_path_factory.mktemp("backup") / "file", key, documents)
    assert [bson.decode(each.raw) for each in reading(path, key)] == documents


@pytest.mark.parametrize("key", KEYS, ids=["open", "sealed"])
@pytest.mark.parametrize("left", [0, 5, 40, -1])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, key: Key | None, left: int) -> None:
    path = written(tmp_path / "file", key)
    path.write_bytes(path.read_bytes()[:left])
    with pytest.raises(BackupError, match=r"cut off|no file"):
        assert list(reading(path, key))


def test_blocks_of_a_sealed_file_can_be_neither_changed_nor_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 64)
    path = written(tmp_path / "file", KEYS[1])
    content = path.read_bytes()
    block = 64 + 16
    first, second = content[7 : 7 + block], content[7 + block : 7 + 2 * block]
    assert len(second) == block
    changed = bytes([first[0] ^ 1]) + first[1:]
    for forged in (changed + second, second + first, second, first):
        path.write_bytes(content[:7] + forged + content[7 + 2 * block :])
        if forged != first + second:
            with pytest.raises(BackupError, match="changed or cut off"):
                list(reading(path, KEYS[1]))


def test_the_last_block_of_a_sealed_file_cannot_be_left_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 64)
    path = written(tmp_path / "file", KEYS[1])
    block = 64 + 16
    path.write_bytes(path.read_bytes()[: 7 + 2 * block])
    # It is the block before that says so, ahead of anything in it.
    with path.open("rb") as file:
        opening = files._Opening(file, Key(b"k" * 32), path)
        assert len(opening.read(64)) == 64
        with pytest.raises(BackupError, match="cut off"):
            opening.read(64)


def test_another_key_opens_nothing_and_none_shows_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "file", KEYS[1])
    with pytest.raises(BackupError, match="another key"):
        list(reading(path, Key(b"other" * 10)))
    assert b"Zo" not in path.read_bytes()
    with pytest.raises(BackupError):
        list(reading(path, None))


def test_a_file_that_was_not_finished_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(bson.errors.InvalidDocument), writing(tmp_path / "file", None) as file:
        file.add(bson.encode({"_id": object()}))
    assert not list(tmp_path.iterdir())


def test_a_short_key_is_refused() -> None:
    with pytest.raises(BackupError, match="at least 32"):
        Key(b"password")
