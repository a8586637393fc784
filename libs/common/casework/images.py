"""Draws uploaded images anew. The library takes memory, which only a process needs that is given images."""

import struct
import zlib
from io import BytesIO
from warnings import simplefilter

from PIL import Image, ImageFile, ImageOps

from libs.common.casework.documents import UnfitFile

MOST_PIXELS = 25_000_000
"""Of an image as it is uploaded, told by its header: more than a telephone takes, and 100 MB in hand at most."""
LONGEST_SIDE = 3000
"""Of an image as it is kept, in pixels: the small print of a passport can be read."""
MOST_SCANS = 100
"""Of a progressive JPEG: usual ones have ten. Each costs a walk over the whole image, however few bytes it has."""

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


def redrawn(media_type: str, content: bytes) -> bytes:
    """An image as a JPEG with nothing in it but its first frame, upright. Raises `UnfitFile`."""
    if content.count(_START_OF_SCAN) > MOST_SCANS:
        raise UnfitFile("the image is made of too many layers")
    ImageFile.LOAD_TRUNCATED_IMAGES = False  # it is one for the process, and other libraries turn it on
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
