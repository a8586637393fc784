"""What people want to see of a mail: its text, its HTML, its headers and the links in it."""

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser


@dataclass(frozen=True)
class Content:
    """A mail taken apart."""

    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None
    links: tuple[str, ...]
    """Web addresses in the HTML part, in order, each once."""
    attachments: tuple[str, ...]


def read_content(raw: bytes) -> Content:
    """Take a mail apart. What is broken in it is shown as it is."""
    message = message_from_bytes(raw, _class=EmailMessage, policy=default)
    html = _part(message, "html")
    return Content(
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_part(message, "plain"),
        html=html,
        links=find_links(html or ""),
        attachments=tuple(part.get_filename() or part.get_content_type() for part in message.iter_attachments()),
    )


def find_links(html: str) -> tuple[str, ...]:
    """The http and https addresses that the page links to."""
    finder = _LinkFinder()
    finder.feed(html)
    return tuple(dict.fromkeys(finder.found))


class _LinkFinder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") if tag == "a" else None
        if address and address.startswith(("http://", "https://")):
            self.found.append(address)


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return content.decode(part.get_content_charset("utf-8"), errors="replace")
    except LookupError:
        return content.decode(errors="replace")
