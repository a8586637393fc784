"""`certrail keys fields`: a new key for each service that seals, and what is left under the old one."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.cli.main import app
from deploy.cli.metrics import Figures
from deploy.local.field_keys import HOLDERS
from libs.common.field_keys import FieldKeys
from tests.service.rig import ERASURE_KEY


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CERTRAIL_STATE_DIR", str(tmp_path))
    return tmp_path


def folder_of(state: Path, service: str) -> Path:
    return state / "field-keys" / service


def test_new_keys_take_over_from_those_before_and_only_their_owner_reads_them(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    async def answers(_session: object, _local: object, service: str) -> Figures:
        seen.append(service)
        return Figures(f'certrail_fields_to_reseal{{field="{service}.a"}} 3.0\n')

    monkeypatch.setattr("deploy.cli.keys.read_figures", answers)
    for _ in range(2):
        made = CliRunner().invoke(app, ["keys", "fields", "--new"])
        assert made.exit_code == 0
        assert "exams: 3 left" in made.output
    assert seen == [*HOLDERS, *HOLDERS]
    for service in HOLDERS:
        files = sorted(folder_of(state, service).iterdir())
        assert [path.stat().st_mode & 0o777 for path in files] == [0o600, 0o600]
        keys = FieldKeys(ERASURE_KEY, folder_of(state, service))
        assert keys.current() == files[-1].name
        assert keys.open("a.b", keys.seal("a.b", b"secret")) == b"secret"


def test_waiting_says_what_changes_and_ends_when_each_service_has_looked_since_and_nothing_is_left(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = iter([(0.0, 0), (0.0, 0), (9e9, 2), (9e9, 0)])

    async def answers(_session: object, _local: object, service: str) -> Figures:
        if service == HOLDERS[0]:
            answers.now = next(rounds)  # type: ignore[attr-defined]
        at, left = answers.now  # type: ignore[attr-defined]
        return Figures(f"certrail_reseal_round_timestamp_seconds {at}\ncertrail_fields_to_reseal {left}\n")

    monkeypatch.setattr("deploy.cli.keys.read_figures", answers)
    monkeypatch.setattr("deploy.cli.keys._LOOK_SECONDS", 0)
    done = CliRunner().invoke(app, ["keys", "fields", "--wait"])
    assert done.exit_code == 0
    lines = [line for line in done.output.splitlines() if line.startswith("certs")]
    assert lines == ["certs: has not looked yet", "certs: 2 left", "certs: 0 left"]
    assert not (state / "field-keys").exists()
