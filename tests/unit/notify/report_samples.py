"""Reports as mail servers and mailbox providers write them, about the mail with the id `MAIL`."""

MAIL = "0123456789abcdef0123456789abcdef"
ADA = "ada@example.com"


def returned(mail: str = MAIL) -> str:
    """The mail that comes back."""
    return (
        "From: Cisco <cisco@cisco-program.example>\n"
        f"To: Ada <{ADA}>\n"
        f"Message-ID: <{mail}@cisco-program.example>\n"
        "Subject: You passed\n\n"
        "You passed.\n"
    )


def dsn(
    *fields: str,
    mail: str = MAIL,
    kind: str = "message/delivery-status",
    back: str = "message/rfc822",
    to: str = "cisco@cisco-program.example",
) -> bytes:
    """A delivery status notification as Postfix writes it, with these fields about each recipient."""
    recipients = "\n".join(fields)
    return (
        "Return-Path: <>\n"
        "From: MAILER-DAEMON@mx.example.com (Mail Delivery System)\n"
        f"To: {to}\n"
        "Subject: Undelivered Mail Returned to Sender\n"
        "Auto-Submitted: auto-replied\n"
        "MIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b1"\n\n'
        "--b1\nContent-Type: text/plain; charset=us-ascii\n\n"
        "This is the mail system at host mx.example.com. Your message could not be delivered.\n\n"
        f"--b1\nContent-Type: {kind}\n\n"
        "Reporting-MTA: dns; mx.example.com\n"
        "Arrival-Date: Sun, 22 Nov 2026 12:00:00 +0000 (UTC)\n\n"
        f"{recipients}\n"
        f"--b1\nContent-Type: {back}\n\n{returned(mail)}\n"
        "--b1--\n"
    ).encode()


def recipient(
    status: str = "5.1.1",
    action: str = "failed",
    *,
    final: str = ADA,
    original: str | None = ADA,
    diagnostic: str = "smtp; 550 5.1.1 <ada@example.com>: Recipient address rejected: User unknown",
    address_type: str = "rfc822",
) -> str:
    """The fields about one recipient."""
    lines = [f"Final-Recipient: {address_type}; {final}"]
    lines += [f"Original-Recipient: {address_type};{original}"] if original else []
    lines += [f"Action: {action}"] if action else []
    lines += [f"Status: {status}"] if status else []
    lines += [f"Diagnostic-Code: {diagnostic}"] if diagnostic else []
    return "\n".join(lines) + "\n"


def complaint(kind: str = "abuse", rcpt: str | None = ADA, mail: str = MAIL) -> bytes:
    """A feedback report (RFC 5965, appendix B)."""
    named = f"Original-Rcpt-To: <{rcpt}>\n" if rcpt else ""
    return (
        "From: <abusedesk@mailbox.example>\n"
        "To: <abuse@cisco-program.example>\n"
        "Subject: FW: You passed\n"
        "MIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b2"\n\n'
        "--b2\nContent-Type: text/plain\n\nThis is an email abuse report.\n\n"
        "--b2\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\n"
        "User-Agent: SomeGenerator/1.0\n"
        "Version: 1\n"
        f"Original-Mail-From: <bounces+{mail}@mail.example>\n"
        f"{named}"
        "Source-IP: 192.0.2.1\n\n"
        f"--b2\nContent-Type: message/rfc822\nContent-Disposition: inline\n\n{returned(mail)}\n"
        "--b2--\n"
    ).encode()


QMAIL = (
    "Return-Path: <>\n"
    "From: MAILER-DAEMON@mail.example.com\n"
    f"To: bounces+{MAIL}@mail.example\n"
    "Subject: failure notice\n\n"
    "Hi. This is the qmail-send program at mail.example.com.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    f"<{ADA}>:\n"
    "Sorry, no mailbox here by that name. (#5.1.1)\n\n"
    "--- Below this line is a copy of the message.\n\n"
    f"{returned()}"
).encode()
"""By a server that keeps to no standard."""

ON_LEAVE = (
    "Return-Path: <>\n"
    f"From: {ADA}\n"
    "To: cisco@cisco-program.example\n"
    "Subject: On leave\n"
    f"In-Reply-To: <{MAIL}@cisco-program.example>\n"
    "Auto-Submitted: auto-replied (vacation)\n\n"
    "I am on leave until 1 December. In urgent cases write to <grace@example.com>.\n"
).encode()
