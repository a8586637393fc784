"""A changed definition is taken over while the service runs, or refused as a whole."""

import asyncio
import re
from pathlib import Path

import pytest

from libs.common.programs import ProgramErrors
from libs.common.programs import live as module
from libs.common.programs.live import LivePrograms

SAMPLES = Path(__file__).parents[3] / "deploy" / "programs"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in SAMPLES.glob("*.yaml"):
        text = re.sub(r"(?m)^version: \d+$", "version: 1", path.read_text())
        (tmp_path / path.name).write_text(text)
    for path in SAMPLES.glob("*.svg"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def change(folder: Path, *replacements: tuple[str, str], program: str = "cisco") -> None:
    path = folder / f"{program}.yaml"
    text = path.read_text()
    for before, after in replacements:
        assert before in text
        text = text.replace(before, after, 1)
    path.write_text(text)


def version(programs: LivePrograms) -> int:
    return programs["cisco"].version


NEXT = ("\nversion: 1\n", "\nversion: 2\n")
RENAMED = ("name: Cisco Certification Program", "name: Another name")


def test_unchanged_folder_is_not_read_again(folder: Path) -> None:
    programs = LivePrograms(folder)
    before = programs["cisco"]
    assert not programs.look()
    assert programs["cisco"] is before


def test_higher_version_is_taken_over_with_its_text(folder: Path) -> None:
    programs = LivePrograms(folder)
    change(folder, NEXT, RENAMED)
    assert programs.look()
    assert (version(programs), programs["cisco"].name) == (2, "Another name")
    assert programs["cisco"].definition == (folder / "cisco.yaml").read_text()
    assert not programs.look()


def test_change_without_a_higher_version_is_refused_as_a_whole(folder: Path) -> None:
    programs = LivePrograms(folder)
    change(folder, RENAMED)
    change(folder, NEXT, program="juniper")
    assert not programs.look()
    assert (programs["cisco"].name, programs["juniper"].version) == ("Cisco Certification Program", 1)
    change(folder, NEXT)
    assert programs.look()
    assert (programs["cisco"].name, programs["juniper"].version) == ("Another name", 2)


def test_fault_leaves_everything_as_it_was_and_its_repair_is_seen(folder: Path) -> None:
    programs = LivePrograms(folder)
    change(folder, NEXT, ("time_zone: America/Los_Angeles", "time_zone: Mars/Olympus"))
    assert not programs.look()
    assert version(programs) == 1
    change(folder, ("Mars/Olympus", "America/Los_Angeles"))
    assert programs.look()
    assert version(programs) == 2


def test_program_in_use_cannot_be_taken_away_and_a_new_one_can_come(folder: Path) -> None:
    (folder / "juniper.yaml").rename(folder / "juniper.off")
    programs = LivePrograms(folder)
    assert set(programs) == {"cisco"}
    (folder / "juniper.off").rename(folder / "juniper.yaml")
    assert programs.look()
    assert set(programs) == {"cisco", "juniper"}
    (folder / "juniper.yaml").unlink()
    assert not programs.look()
    assert set(programs) == {"cisco", "juniper"}


def test_start_with_a_fault_is_refused(folder: Path) -> None:
    change(folder, ("version: 1", "version: none"))
    with pytest.raises(ProgramErrors):
        LivePrograms(folder)


async def test_watch_takes_a_change_over_and_ends_with_the_stop(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.02)
    programs, stopping = LivePrograms(folder), asyncio.Event()
    watching = asyncio.create_task(programs.watch(stopping))
    change(folder, NEXT)
    async with asyncio.timeout(10):
        while version(programs) == 1:  # noqa: ASYNC110 the watch looks by itself and tells nobody
            await asyncio.sleep(0.02)
        stopping.set()
        await watching
