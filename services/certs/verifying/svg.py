"""The credential baked into an SVG picture (Open Badges 3.0, 5.3.2): one element `credential` of its namespace."""

from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from services.certs.verifying.found import UnreadableError

_CREDENTIAL = "{https://purl.imsglobal.org/ob/v3p0}credential"
_PICTURES = frozenset({"svg", "{http://www.w3.org/2000/svg}svg"})


def credential_in_svg(content: bytes) -> str:
    """The text that was baked in: a proof's JSON, or a token in `verify`. Raises `UnreadableError`.

    Entities are refused whatever they say, and nothing outside the file is read.
    """
    root = _parsed(content)
    if root.tag not in _PICTURES:
        raise UnreadableError("format_unknown")
    texts = [text for element in root.iter(_CREDENTIAL) for text in _texts(element)]
    if len(texts) > 1:
        raise UnreadableError("several_credentials")
    if not texts:
        raise UnreadableError("no_credential")
    return texts[0]


def _parsed(content: bytes) -> Element:
    try:
        root: Element = fromstring(content, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:  # an encoding that nobody knows
        raise UnreadableError("damaged") from error
    return root


def _texts(element: Element) -> list[str]:
    """Everything that a reader could take for the credential."""
    return [text for each in ("".join(element.itertext()), element.get("verify", "")) if (text := each.strip())]
