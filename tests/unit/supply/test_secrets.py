"""A planted secret is found, in every form that secrets are pasted in; what is none is left alone."""

import subprocess
from pathlib import Path

import pytest

from deploy.supply.secrets import findings, known, main

# Put together here, so that this file itself holds none.
RANDOM = "q7Xk2" + "vR9tLw4" + "ZsB8mHd" + "3Fy6Gc1" + "NpJ5eUaT0" + "KoWiVxQ"
PLANTED = {
    "private key": "-----BEGIN " + "PRIVATE KEY-----\n" + RANDOM + RANDOM,
    "private JWK": '{"kty": "OKP", "d": "' + RANDOM + 'ab"}',
    "key of web hooks": "whsec_" + RANDOM,
    "cloud key": "AKIA" + "Q7XK2VR9TLW4ZSB8",
    "key of a hosted service": "ghp_" + RANDOM,
    "signed token": ".".join(("eyJ" + RANDOM, "eyJ" + RANDOM, RANDOM)),
    "address with a password": "mongodb://certs:" + RANDOM + "@db.example/certs",
    "named secret": "CERTRAIL_PORTAL_SECRET=" + RANDOM,
}
HARMLESS = (
    "mongodb://user:password@host:port/admin",
    "amqp://{user}:{password}@127.0.0.1",
    'password="correct horse battery staple"',
    "secret = settings.portal_secret.get_secret_value()",
    'client_secret: "a-long-word-without-any-digits-in-it"',
    "-----BEGIN PUBLIC KEY-----\n" + RANDOM,
)


@pytest.mark.parametrize("rule", PLANTED)
def test_planted_secret_is_found_where_it_stands(rule: str) -> None:
    found = list(findings("notes.md", f"first\n{PLANTED[rule]}\nlast\n"))
    assert (rule, 2) in {(one.rule, one.line) for one in found}
    assert RANDOM not in "".join(map(str, found))


@pytest.mark.parametrize("text", HARMLESS, ids=range(len(HARMLESS)))
def test_what_is_no_secret_is_left_alone(text: str) -> None:
    assert list(findings("notes.md", text)) == []


def test_check_fails_for_a_file_that_the_next_commit_would_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("kept-away\n")
    (tmp_path / "kept-away").write_text(PLANTED["named secret"])
    assert main(tmp_path) == 0
    (tmp_path / "settings.env").write_text(PLANTED["named secret"])
    assert main(tmp_path) == 1
    assert capsys.readouterr().out.startswith("settings.env:1: named secret (")


def test_list_of_what_is_no_secret_says_why_of_each() -> None:
    lines = (Path(__file__).parents[3] / "deploy" / "supply" / "known_secrets.txt").read_text().splitlines()
    assert all(len(line.split()) > 2 for line in lines if not line.startswith("#"))
    assert len(known()) == len(lines) - 1
