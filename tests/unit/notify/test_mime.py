"""Whatever is written must read back the same by the standard library's parser, and as nothing more."""

from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default as modern
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify import mime

BOUNDARY = "0123456789abcdef"
ANY_TEXT = st.text(max_size=300)
HEADER_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=250)


def parsed(raw: bytes) -> EmailMessage:
    message = message_from_bytes(raw, policy=modern)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def mail(subject: str = "Subject", name: str = "Name", text: str = "text", html: str = "<p>html</p>") -> bytes:
    headers = (
        ("To", mime.mailbox(name, "ada@example.com")),
        ("Subject", mime.unstructured(subject)),
        ("X-Last", "1"),
    )
    return mime.alternative(headers, text=text, html=html, boundary=BOUNDARY)


@given(subject=HEADER_TEXT)
def test_subject_in_any_script_reads_back(subject: str) -> None:
    assert parsed(mail(subject=subject))["Subject"] == subject.strip()


@given(name=HEADER_TEXT)
def test_name_in_any_script_reads_back(name: str) -> None:
    phrase, address = parseaddr(mime.mailbox(name, "ada@example.com").replace("\r\n", ""))
    assert address == "ada@example.com"
    # Not by `display_name`, which keeps the spaces between encoded words that RFC 2047, 6.2 leaves out.
    assert str(make_header(decode_header(phrase))).split() == name.split()


@given(subject=ANY_TEXT | st.just("a\r\nBcc: b@example.com\r\n\r\nbody"), name=ANY_TEXT)
def test_no_value_adds_a_header_or_a_body(subject: str, name: str) -> None:
    message = parsed(mail(subject=subject, name=name))
    assert message.keys() == ["To", "Subject", "X-Last", "MIME-Version", "Content-Type"]
    assert [address.addr_spec for address in message["To"].addresses] == ["ada@example.com"]


@given(text=ANY_TEXT, html=ANY_TEXT)
def test_both_forms_read_back(text: str, html: str) -> None:
    message = parsed(mail(text=text, html=html))
    for kind, written in (("plain", text), ("html", html)):
        part = message.get_body((kind,))
        assert part is not None
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        lines = written.replace("\r\n", "\n").replace("\r", "\n")
        assert content.decode().replace("\r\n", "\n") == lines.encode("utf-8", "replace").decode()


@given(subject=ANY_TEXT, name=ANY_TEXT, text=st.text(max_size=800))
def test_lines_are_short_and_end_as_mail_lines_end(subject: str, name: str, text: str) -> None:
    raw = mail(subject=subject, name=name, text=text)
    assert raw.endswith(b"\r\n")
    for line in raw.split(b"\r\n"):
        assert len(line) <= 150
        assert b"\r" not in line
        assert b"\n" not in line
    assert raw.isascii()


def test_body_cannot_end_its_part() -> None:
    message = parsed(mail(text=f"--=_{BOUNDARY}--\n\nfollowed by more"))
    part = message.get_body(("plain",))
    assert part is not None
    assert "followed by more" in part.get_content()


@pytest.mark.parametrize("address", ["", "a b@example.com", "a@example.com>", "a@example.com\r\nBcc: b@c.example"])
def test_address_that_could_break_a_header_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="address"):
        mime.mailbox("Ada", address)


def test_address_in_another_script_stands_as_it_is() -> None:
    assert mime.mailbox("Ζωή", "ζωή@example.com").endswith(" <ζωή@example.com>")


def test_date_is_written_in_utc() -> None:
    moment = datetime(2026, 3, 1, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    assert mime.date(moment) == "Sat, 28 Feb 2026 23:02:03 +0000"
    assert parsed(f"Date: {mime.date(moment)}\r\n\r\n".encode())["Date"].datetime == moment.astimezone(UTC)
