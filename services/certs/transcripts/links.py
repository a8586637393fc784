"""A transcript's link: its token, what is stored of that, and the places to share it at."""

import hashlib
import hmac
import io
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote, urlencode

import segno

from libs.common.ids import new_secret
from libs.common.sealing import SecretBox
from services.certs.transcripts.shown import ShownCertification


class Link(NamedTuple):
    """A new link as it is stored."""

    hashed: str
    sealed: str


class LinkKeys:
    """Makes links, finds them and tells their owner. The database alone tells nobody a token."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(f"certrail transcript links\n{secret}".encode()).digest()
        self._box = SecretBox(secret, purpose="transcript links")

    def new(self) -> Link:
        token = new_secret()
        return Link(self.hashed(token), self._box.seal(token.encode()))

    def hashed(self, token: str) -> str:
        """What a token is found by."""
        return hmac.new(self._key, token.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()

    def opened(self, sealed: str) -> str:
        """The token."""
        return self._box.open(sealed).decode()


class Share(NamedTuple):
    """A way to share a link: an address that opens with everything filled in."""

    way: str
    title: str
    url: str


def shares(link: str, program: str) -> list[Share]:
    """Plain links to share a transcript by. None of them tells its place anything before it is opened."""
    subject = f"My certifications, {program}"
    text = f"My certifications, confirmed by the {program}: {link}"
    return [
        Share("mail", "E-mail", f"mailto:?{urlencode({'subject': subject, 'body': text}, quote_via=quote)}"),
        Share("linkedin", "LinkedIn", _url("https://www.linkedin.com/sharing/share-offsite/", url=link)),
        Share("x", "X", _url("https://twitter.com/intent/tweet", text=subject, url=link)),
        Share("facebook", "Facebook", _url("https://www.facebook.com/sharer/sharer.php", u=link)),
        Share("whatsapp", "WhatsApp", _url("https://wa.me/", text=text)),
        Share("telegram", "Telegram", _url("https://t.me/share/url", url=link, text=subject)),
    ]


def linkedin_profile(items: Iterable[ShownCertification], link: str, code: str, program: str) -> list[Share]:
    """Links that add a certification to a LinkedIn profile; months count from 1, and no expiry is left out as none."""
    return [
        Share(
            f"linkedin-profile:{one.certification}",
            f"Add {one.title} to your LinkedIn profile",
            _url("https://www.linkedin.com/profile/add", **_added(one, link, code, program)),
        )
        for one in items
    ]


def qr_svg(link: str) -> str:
    """The link as a QR code: an SVG element that needs no style of its own."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=0, svgclass="qr", lineclass=None
    )
    return out.getvalue().decode()


def qr_png(link: str) -> bytes:
    """The link as a picture, for documents."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="png", scale=8, border=4)
    return out.getvalue()


def _added(one: ShownCertification, link: str, code: str, program: str) -> dict[str, str]:
    values = {
        "startTask": "CERTIFICATION_NAME",
        "name": one.title,
        "organizationName": program,
        "issueYear": str(one.earned_on.year),
        "issueMonth": str(one.earned_on.month),
        "certUrl": link,
        "certId": code,
    }
    if one.expires_on is not None:
        values |= {"expirationYear": str(one.expires_on.year), "expirationMonth": str(one.expires_on.month)}
    return values


def _url(address: str, **values: str) -> str:
    return f"{address}?{urlencode(values, quote_via=quote)}"
