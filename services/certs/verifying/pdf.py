"""The credential in a certificate: the file `credential.json` attached to a PDF."""

from io import BytesIO

import pikepdf

from services.certs.verifying.found import UnreadableError

NAME = "credential.json"

MOST_ATTACHMENTS = 16
"""Of a file of ours, which has one; a mail program or an archive may have put others beside it."""


def credential_in_pdf(content: bytes) -> str:
    """The text of the attachment. Raises `UnreadableError`.

    What is packed too tightly, or refers to itself, is stopped by the limits of the process that this runs in.
    """
    try:
        with pikepdf.open(BytesIO(content), attempt_recovery=False) as pdf:
            return _attached(pdf).decode()
    except (pikepdf.PdfError, pikepdf.PasswordError, UnicodeDecodeError, RuntimeError, TypeError, KeyError) as error:
        raise UnreadableError("damaged") from error


def _attached(pdf: pikepdf.Pdf) -> bytes:
    names = iter(pdf.attachments)
    seen = [name for name, _ in zip(names, range(MOST_ATTACHMENTS + 1), strict=False)]
    if len(seen) > MOST_ATTACHMENTS:
        raise UnreadableError("too_large")
    ours = [spec for name in seen if (spec := pdf.attachments[name]).filename == NAME]
    if len(ours) > 1:
        raise UnreadableError("several_credentials")
    if not ours:
        raise UnreadableError("no_credential")
    return bytes(ours[0].get_file().read_bytes())
