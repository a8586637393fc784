"""What comes back of mails, as strangers write it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.feedback.reports import Kind, Report, read
from tests.unit.notify.report_samples import ADA, MAIL, ON_LEAVE, QMAIL, complaint, dsn, recipient, returned

GLOBAL = dsn(
    recipient(final="jürgen@bücher.example", original=None, address_type="utf-8", diagnostic=""),
    kind="message/global-delivery-status",
    back="message/global",
)


@pytest.mark.parametrize(
    ("raw", "kind", "status", "addresses"),
    [
        (dsn(recipient()), Kind.BOUNCED, "5.1.1", {ADA}),
        (dsn(recipient()).replace(b"\n", b"\r\n"), Kind.BOUNCED, "5.1.1", {ADA}),
        (dsn(recipient(), back="text/rfc822-headers"), Kind.BOUNCED, "5.1.1", {ADA}),
        (dsn(recipient("5.0.0", diagnostic="smtp; 550 5.2.1 disabled")), Kind.BOUNCED, "5.2.1", {ADA}),
        (dsn(recipient("5.0.0", diagnostic="smtp; 550 unknown")), Kind.BOUNCED, "5.0.0", {ADA}),
        (dsn(recipient("", diagnostic="")), Kind.BOUNCED, None, {ADA}),
        (dsn(recipient("5.1.1", action="")), Kind.BOUNCED, "5.1.1", {ADA}),
        (dsn(recipient("5.2.2", action="Failed (mailbox full)")), Kind.BOUNCED, "5.2.2", {ADA}),
        (dsn(recipient("4.4.1", "delayed", diagnostic="")), Kind.DELAYED, "4.4.1", {ADA}),
        (dsn(recipient("2.0.0", "delivered", diagnostic="")), Kind.DELIVERED, "2.0.0", {ADA}),
        (
            dsn(recipient("2.0.0", "delivered", diagnostic=""), recipient(final="other@example.net", original=None)),
            Kind.BOUNCED,
            "5.1.1",
            {"other@example.net"},
        ),
        (dsn(recipient(final="else@example.net")), Kind.BOUNCED, "5.1.1", {ADA, "else@example.net"}),
        (complaint(), Kind.COMPLAINED, None, {ADA}),
        (complaint(rcpt=None), Kind.COMPLAINED, None, set()),
        (QMAIL, Kind.BOUNCED, None, {ADA}),
    ],
)
def test_reports_are_read(raw: bytes, kind: Kind, status: str | None, addresses: set[str]) -> None:
    report = read(raw)
    assert report is not None
    assert (report.kind, report.status, report.addresses) == (kind, status, addresses)
    assert report.ids[0] == MAIL


def test_address_in_any_script_is_read() -> None:
    report = read(GLOBAL)
    assert report is not None
    assert (report.kind, report.status, report.ids[0]) == (Kind.BOUNCED, "5.1.1", MAIL)


@pytest.mark.parametrize(
    "raw",
    [
        ON_LEAVE,
        b"",
        b"\x00\xff",
        returned().encode(),
        complaint("not-spam"),
        complaint("auth-failure"),
        dsn(recipient("2.0.0", "relayed", diagnostic="")),
        dsn(recipient("2.0.0", "expanded", diagnostic="")),
        dsn("Action: \n"),
    ],
)
def test_what_is_no_report_is_none(raw: bytes) -> None:
    assert read(raw) is None


def test_mail_that_came_back_is_believed_before_the_address_written_to() -> None:
    other = "f" * 32
    report = read(dsn(recipient(), to=f"bounces+{other}@mail.example"))
    assert report is not None
    assert report.ids == (MAIL, other)


def test_without_the_mail_the_address_written_to_says_which_it_was() -> None:
    cut = dsn(recipient(), to=f"bounces+{MAIL}@mail.example").partition(b"--b1\nContent-Type: message/rfc822")[0]
    report = read(cut.replace(b"Return-Path", f"References: <{'e' * 32}@else.example>\nReturn-Path".encode()))
    assert report is not None
    assert report.ids == (MAIL, "e" * 32)


def test_nesting_without_end_is_no_report() -> None:
    depth = 3000
    heads = [f'Content-Type: multipart/mixed; boundary="b{level}"\n\n--b{level}\n' for level in range(depth)]
    assert read("".join(heads).encode()) is None


SAMPLES = st.sampled_from([dsn(recipient()), GLOBAL, complaint(), QMAIL, ON_LEAVE])


@settings(max_examples=150)
@given(raw=SAMPLES, cut=st.integers(0, 2000), more=st.binary(max_size=60), drop=st.integers(0, 300))
def test_damaged_report_does_no_harm(raw: bytes, cut: int, more: bytes, drop: int) -> None:
    report = read(raw[:cut] + more + raw[cut + drop :])
    assert report is None or isinstance(report, Report)
    assert report is None or all(len(mail) <= 36 for mail in report.ids)
