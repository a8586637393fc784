"""What becomes of uploaded documents: images are drawn anew, PDF files that act are refused."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from libs.common.casework.documents import MOST_STRUCTURES, UnfitFile, check_pdf
from libs.common.casework.images import LONGEST_SIDE, MOST_SCANS, redrawn

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


def image(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB", **save: object) -> bytes:
    file = BytesIO()
    Image.effect_noise(size, 50).convert(mode).save(file, kind, **save)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    result = Image.open(BytesIO(content), formats=("JPEG",))
    result.load()
    return result


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_image_of_any_colours_becomes_a_plain_jpeg(mode: str) -> None:
    file = BytesIO()
    made = Image.new("I;16", (40, 20), 900) if mode == "I;16" else Image.effect_noise((40, 20), 50).convert(mode)
    made.save(file, "PNG")
    result = opened(redrawn("image/png", file.getvalue()))
    assert (result.format, result.mode, result.size) == ("JPEG", "RGB", (40, 20))


def test_nothing_but_pixels_survives() -> None:
    exif = Image.Exif()
    exif[0x010E] = "at home, 52.5 N 13.4 E"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "<script>alert(1)</script>")
    for kind, content in (
        ("image/jpeg", image("JPEG", exif=exif, comment=b"<script>alert(1)</script>", icc_profile=b"p" * 200)),
        ("image/png", image("PNG", exif=exif, pnginfo=notes)),
    ):
        assert b"<script>" in content
        result = redrawn(kind, content)
        assert b"at home" in content
        assert b"<script>" not in result
        assert b"at home" not in result
        assert not {"exif", "icc_profile", "comment"} & opened(result).info.keys()


def test_image_that_lies_on_its_side_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert opened(redrawn("image/jpeg", image("JPEG", exif=exif))).size == (20, 40)


def test_transparent_paper_is_white() -> None:
    file = BytesIO()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(file, "PNG")
    assert opened(redrawn("image/png", file.getvalue())).getpixel((4, 4)) == (255, 255, 255)


def test_first_of_several_pictures_is_drawn() -> None:
    file = BytesIO()
    red, blue = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
    for kind, media_type in (("PNG", "image/png"), ("MPO", "image/jpeg")):
        file = BytesIO()
        red.save(file, kind, save_all=True, append_images=[blue])
        pixel = opened(redrawn(media_type, file.getvalue())).getpixel((8, 8))
        assert isinstance(pixel, tuple)
        assert pixel[0] > 2 * pixel[2]


@pytest.mark.parametrize(("declared", "kind"), [("image/png", "JPEG"), ("image/jpeg", "PNG"), ("image/png", "GIF")])
def test_image_of_another_kind_is_refused(declared: str, kind: str) -> None:
    with pytest.raises(UnfitFile):
        redrawn(declared, image(kind, mode="L"))


def test_file_that_is_something_else_too_loses_it() -> None:
    archive = b"PK\x05\x06" + b"\0" * 18
    page = b"<html><script>alert(1)</script></html>"
    for kind, media_type in (("PNG", "image/png"), ("JPEG", "image/jpeg")):
        result = redrawn(media_type, image(kind) + page + archive)
        assert b"<script>" not in result
        assert b"PK\x05\x06" not in result


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def blank(width: int, height: int) -> bytes:
    """A grey image that is complete, and a thousandth as large packed as it is unpacked."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" * ((width + 1) * height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_decompression_bomb_is_refused_by_its_header() -> None:
    assert redrawn("image/png", blank(5_000, 5_000))
    for sides in ((5_001, 5_000), (8_000, 7_000)):
        with pytest.raises(UnfitFile):
            redrawn("image/png", blank(*sides))


def test_text_that_unpacks_to_gigabytes_is_refused() -> None:
    packed = zlib.compress(b"\0" * 100_000_000)
    plain = image()
    with pytest.raises(UnfitFile):
        redrawn("image/png", plain[:33] + chunk(b"zTXt", b"Comment\0\0" + packed) + plain[33:])


def test_jpeg_of_thousands_of_layers_is_refused() -> None:
    content = image("JPEG", progressive=True)
    assert redrawn("image/jpeg", content)
    begin = content.index(b"\xff\xda")
    with pytest.raises(UnfitFile, match="layers"):
        redrawn("image/jpeg", content[:begin] + content[begin:-2] * MOST_SCANS + content[-2:])


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_image_that_is_cut_off_is_refused(kind: str, media_type: str) -> None:
    content = image(kind, (200, 200))
    for part in (2, 3, 10):
        with pytest.raises(UnfitFile):
            redrawn(media_type, content[: len(content) // part])


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
@given(seed=st.integers(0, 2**32), hits=st.integers(1, 12))
def test_damaged_image_is_drawn_or_refused_and_nothing_else(kind: str, media_type: str, seed: int, hits: int) -> None:
    chance = random.Random(seed)
    content = bytearray(image(kind, (64, 48)))
    for _ in range(hits):
        content[chance.randrange(2, len(content))] = chance.randrange(256)
    try:
        result = redrawn(media_type, bytes(content))
    except UnfitFile:
        return
    opened(result)


def test_large_image_becomes_as_small_as_is_kept() -> None:
    content = image("JPEG", (4800, 3200), quality=10)
    result = opened(redrawn("image/jpeg", content))
    assert result.size == (LONGEST_SIDE, LONGEST_SIDE * 2 // 3)


def packed_objects(content: bytes) -> bytes:
    body = zlib.compress(content)
    head = b"2 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length %d >>\nstream\n" % len(body)
    return PDF.replace(b"trailer", head + body + b"\nendstream\nendobj\ntrailer")


def test_plain_pdf_is_taken() -> None:
    check_pdf(PDF)
    check_pdf(packed_objects(b"<< /Type /Page /Contents 3 0 R >>"))
    check_pdf(PDF.replace(b"trailer", random.Random(1).randbytes(3_000_000) + b"\ntrailer"))


@pytest.mark.parametrize(
    "part",
    [
        b"<< /S /JavaScript /JS (app.alert(1)) >>",
        b"<< /S /J#61va#53cript /JS 4 0 R >>",
        b"<< /S /Launch /F (calc.exe) >>",
        b"<< /Type /EmbeddedFile >>",
        b"<< /Names << /EmbeddedFiles 5 0 R >> >>",
        b"<< /Subtype /RichMedia >>",
        b"<< /AcroForm << /XFA [ (a) 6 0 R ] >> >>",
        b"<< /Encrypt 7 0 R >>",
    ],
)
def test_pdf_that_acts_or_hides_is_refused(part: bytes) -> None:
    for content in (PDF.replace(b"<< /Type /Catalog >>", part), packed_objects(part)):
        with pytest.raises(UnfitFile):
            check_pdf(content)


def test_pdf_that_is_cut_off_or_unpacks_to_gigabytes_is_refused() -> None:
    many = packed_objects(b"<< >>" + b"\nendobj")
    part = many[many.index(b"2 0 obj") : many.index(b"trailer")]
    endless = many.replace(b"trailer", part * MOST_STRUCTURES + b"trailer")
    for content in (PDF[:40], PDF + b"\0" * 2000, packed_objects(b"\0" * 100_000_000), endless):
        with pytest.raises(UnfitFile):
            check_pdf(content)
