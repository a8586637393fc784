"""Finds the credential in a file of any kind. What the file is, its content says; what the sender says is not asked."""

from services.certs.verifying import pdf, png, svg
from services.certs.verifying.found import MOST_BYTES, Form, Found, UnreadableError
from services.certs.verifying.texts import read_text

_MARK = b"\xef\xbb\xbf"


def extract(content: bytes) -> Found:
    """The one credential in a file. Raises `UnreadableError`.

    Only for a process with limits (`limited`): libraries parse here what strangers have written.
    """
    if len(content) > MOST_BYTES:
        raise UnreadableError("too_large")
    form = _form(content)
    if form is None:
        return read_text(_decoded(content))
    return read_text(_baked(form, content))._replace(form=form)


def _form(content: bytes) -> Form | None:
    """The kind of a file that has a credential in it; None for what may be a credential itself."""
    if content.startswith(png.SIGNATURE):
        return "png"
    if content.startswith(b"%PDF-"):
        return "pdf"
    if content.removeprefix(_MARK).lstrip().startswith(b"<"):
        return "svg"
    return None


def _baked(form: Form, content: bytes) -> str:
    if form == "png":
        return png.credential_in_png(content)
    return pdf.credential_in_pdf(content) if form == "pdf" else svg.credential_in_svg(content)


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UnreadableError("format_unknown") from error
