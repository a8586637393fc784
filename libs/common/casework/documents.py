"""Makes uploaded documents harmless: images are drawn anew, PDF files with anything active in them are refused.

A check cannot prove a PDF harmless. It keeps out what needs no skill; what it lets through is only ever given as a file
to save, and deleted with the decision.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from io import BytesIO
from warnings import simplefilter

from PIL import Image, ImageOps

MOST_PIXELS = 25_000_000
"""Of an image as it is uploaded, told by its header: more than a telephone takes, and 100 MB in hand at most."""
LONGEST_SIDE = 3000
"""Of an image as it is kept, in pixels: the small print of a passport can be read."""
MOST_SCANS = 100
"""Of a progressive JPEG: usual ones have ten. Each costs a walk over the whole image, however few bytes it has."""
MOST_INFLATED = 16 * 1024 * 1024
"""Bytes of a PDF's compressed structure that are looked at."""
MOST_STRUCTURES = 500
"""Compressed parts of that structure: each holds a hundred objects or so."""

Image.MAX_IMAGE_PIXELS = MOST_PIXELS
simplefilter("error", Image.DecompressionBombWarning)

_FORMATS = {"image/png": ("PNG",), "image/jpeg": ("JPEG", "MPO")}
"""A telephone's picture may have a second one behind the first (MPO); only the first is drawn."""
_START_OF_SCAN = b"\xff\xda"
_FAULTS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow raises for files that are no images, are cut off, or are made to harm."""

_ACTIVE = re.compile(rb"/(Encrypt|JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA(?=[\s\[]))(?![A-Za-z0-9])")
"""Names too long to turn up by chance in the megabytes of a scanned page; a script needs `/JavaScript` beside `/JS`."""
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")
_STREAM = re.compile(rb"(?<!end)stream\r?\n")
_DICTIONARY = 512
"""Bytes before a stream in which it says what it is."""
_TAIL = 1024
"""Bytes at the end in which readers look for the end marker (ISO 32000-1, annex H.3)."""


class UnfitFile(Exception):
    """The file is not taken; the message says why."""


def redrawn(media_type: str, content: bytes) -> bytes:
    """An image as a JPEG with nothing in it but its first frame, upright. Raises `UnfitFile`."""
    if content.count(_START_OF_SCAN) > MOST_SCANS:
        raise UnfitFile("the image is made of too many layers")
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as image:
            if image.format not in _FORMATS[media_type]:
                raise UnfitFile(f"is no {media_type}")
            # A JPEG can be decoded smaller than it is.
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            return _jpeg(ImageOps.exif_transpose(image))
    except _FAULTS as error:
        raise UnfitFile("the image cannot be read, or is too large") from error


def _jpeg(image: Image.Image) -> bytes:
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    drawn = Image.frombytes("RGB", image.size, image.convert("RGB").tobytes())  # pixels alone come along
    file = BytesIO()
    drawn.save(file, "JPEG", quality=85)
    return file.getvalue()


def check_pdf(content: bytes) -> None:
    """Raises `UnfitFile` for a PDF that is cut off, encrypted, or has something in it that acts by itself."""
    if b"%%EOF" not in content[-_TAIL:]:
        raise UnfitFile("the PDF file is incomplete")
    for part in (content, *_structures(content)):
        found = _ACTIVE.search(_ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), part))
        if found:
            raise UnfitFile(f"a PDF file with /{found[1].decode()} is not taken; print it to a new one")


def _structures(content: bytes) -> Iterator[bytes]:
    """The object streams, inflated: objects that a search in the file does not see (ISO 32000-1, 7.5.7)."""
    begins = [
        match.end()
        for match in _STREAM.finditer(content)
        if b"/ObjStm" in content[max(0, match.start() - _DICTIONARY) : match.start()]
    ]
    if len(begins) > MOST_STRUCTURES:
        raise UnfitFile("the PDF file has too many parts")
    left = MOST_INFLATED
    for begin in begins:
        try:
            part = zlib.decompressobj().decompress(memoryview(content)[begin:], left)
        except zlib.error as error:
            raise UnfitFile("the PDF file is damaged") from error
        left -= len(part)
        if left <= 0:
            raise UnfitFile("the PDF file unpacks to too much")
        yield part
