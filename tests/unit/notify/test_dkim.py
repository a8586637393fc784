"""Signed mails, as mailauth and mailparser read them: other people's programs, which receivers use."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from libs.common.programs import Program
from services.notify.dkim import DkimKeyError, DkimSigner, Key, read_keys
from services.notify.domain.mails import Template
from services.notify.rendering import Renderer
from services.notify.samples import SAMPLES
from services.notify.unsubscribing.links import UnsubscribeLinks
from tests.nodes import PACKAGES, needs_node
from tests.unit.notify.conftest import NOON, Write

DOMAIN = "cisco-program.example"
HOSTILE = (
    "Ada\r\nBcc: evil@example.net",
    "Ada\nSubject: You won\n\n<html>",
    "Ada\x00\u2028\u0085Cc: evil@example.net",
    '"Ada" <evil@example.net>, Bob',
    "Ada, Bob: evil@example.net;",
    "=?utf-8?q?Ada=0D=0ABcc=3A_evil=40example=2Enet?=",
    "عادة " * 40,
    "Zoë Åström-Şahin",
    "x" * 900,
    "(Ada) \\",
)


def pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> list[Key]:
    """One of each kind for a sender's domain, from files; one of a domain that nobody writes from."""
    folder = tmp_path_factory.mktemp("dkim")
    (folder / f"rsa._domainkey.{DOMAIN}").write_bytes(pem(generate_private_key(65537, 2048)))
    (folder / f"ed._domainkey.{DOMAIN}").write_bytes(pem(Ed25519PrivateKey.generate()))
    (folder / "ed._domainkey.other.example").write_bytes(pem(Ed25519PrivateKey.generate()))
    (folder / "..data").mkdir()
    return read_keys(folder)


def records(keys: Sequence[Key]) -> dict[str, str]:
    """What the DNS says of the keys."""
    found = {}
    for key in keys:
        public = key.private.public_key()
        rsa = isinstance(key.private, RSAPrivateKey)
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo) if rsa else (Encoding.Raw, PublicFormat.Raw)
        text = b64encode(public.public_bytes(*form)).decode()
        found[f"{key.selector}._domainkey.{key.domain}"] = f"v=DKIM1; k={'rsa' if rsa else 'ed25519'}; p={text}"
    return found


@pytest.fixture(scope="module")
def signing(programs: Mapping[str, Program], keys: list[Key]) -> Renderer:
    links = UnsubscribeLinks("s" * 32, "https://certs.example")
    return Renderer(programs, "https://certs.example", signer=DkimSigner(keys), links=links)


def read(mails: Sequence[bytes], keys: Sequence[Key]) -> list[dict[str, Any]]:
    asked = {"mails": [b64encode(mail).decode() for mail in mails], "records": records(keys)}
    command = ["node", str(PACKAGES / "read_mails.mjs")]
    done = subprocess.run(command, input=json.dumps(asked).encode(), capture_output=True, check=True, cwd=PACKAGES)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@needs_node
def test_mails_to_people_of_any_name_are_signed_and_hold_no_header_but_ours(
    signing: Renderer, renderer: Renderer, keys: list[Key], write: Write
) -> None:
    letters = [write(given_name=name, family_name="Lovelace") for name in HOSTILE]
    mails = [signing.envelope(letter).content for letter in letters]
    plain = read([renderer.envelope(write()).content], keys)[0]
    for name, seen in zip(HOSTILE, read(mails, keys), strict=True):
        assert [one["algorithm"] for one in seen["signatures"]] == ["rsa-sha256", "ed25519-sha256"]
        assert {(one["result"], one["aligned"]) for one in seen["signatures"]} == {("pass", DOMAIN)}
        assert seen["headers"] == ["dkim-signature"] * 2 + plain["headers"]
        assert seen["subject"] == "You passed CCNA (200-301)"
        (to,) = seen["to"]
        assert to["address"] == "ada@example.com"
        assert to["name"].endswith("Lovelace")
        assert "evil" not in to["name"] or "evil" in name
        assert seen["messageId"] == f"<{'0123456789abcdef' * 2}@{DOMAIN}>"
    assert plain["signatures"][0]["result"] == "none"


@needs_node
def test_every_mail_is_signed_whole_and_news_alone_offer_a_way_out(
    signing: Renderer, keys: list[Key], write: Write
) -> None:
    kinds = list(Template)
    mails = [signing.envelope(write(kind, SAMPLES[kind][0])).content for kind in kinds]
    for kind, mail, seen in zip(kinds, mails, read(mails, keys), strict=True):
        assert [one["result"] for one in seen["signatures"]] == ["pass", "pass"], kind
        assert (seen["list"] is not None) == (kind is Template.NEWS)
        if kind is Template.NEWS:
            assert seen["headers"][-4:-2] == ["list-unsubscribe", "list-unsubscribe-post"]
            assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in mail
            assert seen["list"]["unsubscribe"]["url"].startswith("https://certs.example/unsubscribe/")
            assert seen["list"]["unsubscribe"]["url"] in seen["text"]
            signed = mail.partition(b"bh=")[0].replace(b"\r\n ", b"")
            assert b"list-unsubscribe:" in signed
            assert b"list-unsubscribe-post:" in signed


Change = Callable[[bytes], bytes]


@needs_node
@pytest.mark.parametrize(
    "change",
    [
        lambda mail: mail.replace(b"Subject: You passed", b"Subject: You failed"),
        lambda mail: mail.replace(b"MIME-Version", b"Subject: Another\r\nMIME-Version"),
        lambda mail: mail.replace(b"MIME-Version", b"Reply-To: evil@example.net\r\nMIME-Version"),
        lambda mail: mail + b"more\r\n",
        lambda mail: mail.replace(b"To: ", b"To: Bob <bob@example.net>\r\nTo: "),
    ],
)
def test_changed_mail_is_not_ours(signing: Renderer, keys: list[Key], write: Write, change: Change) -> None:
    mail = signing.envelope(write()).content
    assert change(mail) != mail
    (seen,) = read([change(mail)], keys)
    assert "pass" not in {one["result"] for one in seen["signatures"]}


def test_same_letter_has_the_same_bytes_and_a_domain_below_signs_by_the_key_above(
    signing: Renderer, keys: list[Key], write: Write
) -> None:
    assert signing.envelope(write()).content == signing.envelope(write()).content
    mail = b"From: a\r\n\r\nhello\r\n"
    signer = DkimSigner(keys)
    assert signer.signed(mail, sender=f"a@news.{DOMAIN}", at=NOON).count(f"d={DOMAIN};".encode()) == 2
    for stranger in ("a@example", f"a@not{DOMAIN}", "a@example.net", "nobody"):
        assert signer.signed(mail, sender=stranger, at=NOON) == mail
    lines = signer.signed(mail, sender=f"a@{DOMAIN}", at=NOON).split(b"\r\n")
    assert max(map(len, lines)) < 100


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("key.pem", b"", "must be named"),
        ("a._domainkey.example.com", b"nothing", "no private key"),
        ("a._domainkey.example.com", pem(ec.generate_private_key(ec.SECP256R1())), "neither"),
        ("a._domainkey.example.com", pem(generate_private_key(65537, 1024)), "1024 bits"),
    ],
)
def test_what_is_no_key_is_named_and_not_shown(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DkimKeyError, match=says) as caught:
        read_keys(tmp_path)
    assert name in str(caught.value)
    assert "nothing" not in str(caught.value)
    with pytest.raises(DkimKeyError, match="no folder"):
        read_keys(tmp_path / "missing")
