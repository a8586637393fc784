"""A wrong setting stops the start and is named as the person who set it knows it."""

import os
from pathlib import Path

import pytest

from libs.common.settings import PREFIX, ServiceSettings, load_settings

NEEDED = {
    "CERTRAIL_MONGO_URL": "mongodb://exams:secret-1@127.0.0.1:27017/certrail_exams?replicaSet=rs0",
    "CERTRAIL_AMQP_URL": "amqp://exams:secret-2@127.0.0.1:5672/",
    "CERTRAIL_PROGRAMS_DIR": "/somewhere",
    "CERTRAIL_ERASURE_KEY": "secret-3" * 4,
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)


def test_what_is_needed_is_enough() -> None:
    settings = load_settings(ServiceSettings)
    assert settings.programs_dir == Path("/somewhere")
    assert settings.amqp_url.get_secret_value() == NEEDED["CERTRAIL_AMQP_URL"]


def refusal(capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit) as stopped:
        load_settings(ServiceSettings)
    assert stopped.value.code == 2
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("name", NEEDED)
def test_missing_variable_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(name)
    (line,) = refusal(capsys)
    assert line.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CERTRAIL_API_PORT", "eighty"),
        ("CERTRAIL_API_PORT", "65536"),
        ("CERTRAIL_INTERNAL_PORT", "-1"),
        ("CERTRAIL_LOG_LEVEL", "loud"),
        ("CERTRAIL_BATCH_SIZE", "0"),
        ("CERTRAIL_BATCH_SIZE", "1001"),
        ("CERTRAIL_DRAIN_SECONDS", "0"),
        ("CERTRAIL_LOG_HUMAN", "perhaps"),
    ],
)
def test_wrong_variable_is_named_with_what_is_wrong(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    (line,) = refusal(capsys)
    assert line.startswith(f"{name}: ")
    assert len(line) > len(name) + 10


def test_all_that_is_wrong_is_named_at_once_and_no_secret_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CERTRAIL_API_PORT", "eighty")
    monkeypatch.delenv("CERTRAIL_PROGRAMS_DIR")
    lines = refusal(capsys)
    assert {line.partition(":")[0] for line in lines} == {"CERTRAIL_API_PORT", "CERTRAIL_PROGRAMS_DIR"}
    assert "secret" not in "".join(lines)


def test_settings_do_not_show_their_secrets() -> None:
    assert "secret" not in repr(load_settings(ServiceSettings))


def test_variable_of_another_program_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTRAIL_NOT_OURS", "1")
    load_settings(ServiceSettings)
