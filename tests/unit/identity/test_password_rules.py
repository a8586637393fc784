"""Weak passwords are refused with the reason, and good ones are not."""

import hashlib
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.domain.password_rules import fault, forms
from services.identity.login.breached import Breached

OWNER = ("CSCO00000013", "ada.lovelace@example.com", "ada.lovelace", "Ada", "Lovelace", "cisco", "certrail")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("aaaaaaaaaaaa", "different"),
        ("ababcababcab", "different"),
        ("abcdeabcdeabcde", "repeat"),
        ("Passw0rdpassw0RD", "repeat"),
        ("xq7pTxq7pTxq", "repeat"),
        ("abcdefghijklm", "neighbouring"),
        ("9876543210987", "neighbouring"),
        ("CSCO00000013!", "your ID"),
        ("ada.lovelace@example.com", "your ID"),
        ("Lovelace-Lovelace", "your ID"),
        ("lovelace-cisco-1", "your ID"),
        ("Cisco+Certrail 2026", "your ID"),
    ],
)
def test_weak_password_is_refused(password: str, said: str) -> None:
    reason = fault(password, OWNER)
    assert reason is not None
    assert said in reason


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "lovelace kettle orbit", "x7#Kq9!mVz2p", "Dünenläufer am Kai"]
)
def test_good_password_is_not(password: str) -> None:
    assert fault(password, OWNER) is None
    assert password not in Breached()


@given(st.text(string.ascii_letters + string.digits, min_size=5, max_size=20), st.integers(2, 5))
def test_any_repetition_is_refused(piece: str, times: int) -> None:
    assert fault(piece * times, ()) is not None


@pytest.mark.parametrize(
    "password",
    [
        "qwertyuiopasdf",
        "Password123456",
        "p@ssw0rd!!!!",
        "2026Welcome!!",
        "1q2w3e4r5t6y",
        "TrustNo1TrustNo1",
        "iloveyousomuch",
    ],
)
def test_leaked_password_is_found_behind_small_changes(password: str) -> None:
    assert password in Breached()


def test_list_of_the_operator_takes_hashes_and_lines(tmp_path: Path) -> None:
    file = tmp_path / "leaked.txt"
    hashed = hashlib.sha1(b"kettle orbit velvet").hexdigest().upper()
    file.write_text(f"{hashed}:17\nmaple rain window\n", encoding="utf-8")
    leaked = Breached(file)
    assert "kettle orbit velvet" in leaked
    assert "Maple Rain Window" in leaked
    assert "qwertyuiopasdf" in leaked, "the list that ships still counts"
    assert "kettle orbit velvet maple" not in leaked


@given(st.text(max_size=128))
def test_every_text_has_its_forms(password: str) -> None:
    assert forms(password)[0] == password
