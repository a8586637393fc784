"""The folder of a backup: what leads from a copy to a moment, what is forgotten, and what is no longer believed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.backup.catalogue import Catalogue, Copy, ErasedAccount, Erasure, Moment, Slice, chain
from deploy.backup.errors import BackupError
from deploy.backup.files import Key
from deploy.backup.restoring import plan

DATABASES = ["certrail_exams"]


def entry(after: int, through: int, databases: list[str] = DATABASES) -> Slice:
    return Slice(
        key=None, after=Moment(after, 0), through=Moment(through, 0), databases=databases, changes=1, sha256="0"
    )


def copy(second: int, databases: list[str] = DATABASES) -> Copy:
    return Copy(key=None, moment=Moment(second, 0), databases={name: [] for name in databases})


def at(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def test_slices_lead_on_from_a_copy_in_their_order() -> None:
    slices = [entry(30, 40), entry(10, 20), entry(20, 30)]
    assert chain(slices, DATABASES, Moment(15, 3), None) == [entry(10, 20), entry(20, 30), entry(30, 40)]
    assert chain(slices, DATABASES, Moment(20, 0), Moment(25, 0)) == [entry(20, 30)]
    assert chain(slices, DATABASES, Moment(40, 0), None) == []


def test_a_gap_is_said_where_it_is_in_the_way() -> None:
    slices = [entry(10, 20), entry(25, 30)]
    with pytest.raises(BackupError, match="were not kept"):
        chain(slices, DATABASES, Moment(10, 0), Moment(30, 0))
    assert chain(slices, DATABASES, Moment(10, 0), Moment(18, 0)) == [entry(10, 20)]


def test_changes_of_other_databases_lead_nowhere() -> None:
    assert chain([entry(10, 20, ["certrail_certs"])], DATABASES, Moment(10, 0), None) == []


def test_the_last_copy_before_a_moment_is_the_one_to_begin_with(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, None)
    for each in (copy(10), copy(20), copy(22, ["certrail_certs"]), copy(30)):
        catalogue.add_copy(each)
    for each in (entry(10, 20), entry(20, 40)):
        catalogue.add_slice(each)
    assert plan(catalogue, DATABASES, at(25.5)).copy.moment == Moment(20, 0)
    assert plan(catalogue, DATABASES, None).copy.moment == Moment(30, 0)
    with pytest.raises(BackupError, match="no copy"):
        plan(catalogue, DATABASES, at(5))
    with pytest.raises(BackupError, match="only"):
        plan(catalogue, DATABASES, at(50))


def test_the_newest_copy_is_never_forgotten_nor_what_leads_on_from_those_left(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, None)
    for each in (copy(10), copy(20), copy(30)):
        catalogue.add_copy(each)
    for each in (entry(10, 15), entry(15, 25), entry(25, 35)):
        catalogue.add_slice(each)
        catalogue.slice_file(each.stem).write_bytes(b"")
    catalogue.forget_before(Moment(15, 0))
    assert [each.moment.second for each in catalogue.copies()] == [20, 30]
    assert [each.after.second for each in catalogue.slices()] == [15, 25]
    catalogue.forget_before(Moment(99, 0))
    assert [each.moment.second for each in catalogue.copies()] == [30]
    assert [each.after.second for each in catalogue.slices()] == [25]


def test_a_sealed_entry_that_was_changed_is_not_believed(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, Key(b"k" * 32))
    catalogue.add_copy(copy(10).model_copy(update={"key": catalogue.key and catalogue.key.name}))
    path = tmp_path / "copies" / "10.0" / "copy.json"
    assert len(catalogue.copies()) == 1
    content = json.loads(path.read_text())
    content["entry"]["moment"] = [11, 0]
    path.write_text(json.dumps(content))
    with pytest.raises(BackupError, match="was changed"):
        catalogue.copies()


def test_an_entry_of_another_key_or_of_another_form_is_said(tmp_path: Path) -> None:
    Catalogue(tmp_path, None).add_copy(copy(10))
    with pytest.raises(BackupError, match="not sealed"):
        Catalogue(tmp_path, Key(b"k" * 32)).copies()
    (tmp_path / "copies" / "10.0" / "copy.json").write_text("{}")
    with pytest.raises(BackupError, match="cannot be read"):
        Catalogue(tmp_path, None).copies()


def test_erasures_are_listed_once_each(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, None)
    one = Erasure(
        program="cisco",
        candidate_id="CSCO1",
        accounts=[ErasedAccount(candidate_id="CSCO1", pseudonym="erased-1")],
        erased_at=at(10),
    )
    later = one.model_copy(update={"candidate_id": "CSCO2", "erased_at": at(10) + timedelta(seconds=1)})
    assert catalogue.keep_erasures([later]) == 1
    assert catalogue.keep_erasures([one, later]) == 2
    assert catalogue.erasures() == [one, later]
