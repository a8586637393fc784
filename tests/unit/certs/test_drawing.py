"""Artwork becomes pixels: of the size that was asked for, the same each time, and with nothing fetched."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from libs.common.programs import Program, load_definition
from libs.common.programs.artwork import read_artwork
from services.certs.drawing import artwork, png_of


@pytest.mark.parametrize("name", ["cisco", "juniper"])
@pytest.mark.parametrize("size", [16, 512])
def test_a_png_has_the_width_asked_for(programs: Mapping[str, Program], name: str, size: int) -> None:
    content = png_of(artwork(programs[name]), size)
    with Image.open(BytesIO(content)) as image:
        assert (image.format, image.size) == ("PNG", (size, size))
        assert image.convert("RGBA").getextrema()[3] == (0, 255)
    assert png_of(artwork(programs[name]), size) == content


def test_a_program_without_artwork_has_a_mark_in_its_colour(programs: Mapping[str, Program]) -> None:
    bare = load_definition(programs["cisco"].definition, name="cisco.yaml")
    drawn = artwork(bare)
    assert bare.branding.colour in drawn
    assert read_artwork(drawn.encode()).count("<") == drawn.count("<")
    with Image.open(BytesIO(png_of(drawn, 100))) as image:
        assert "#{:02x}{:02x}{:02x}".format(*image.convert("RGB").getpixel((50, 4))) == bare.branding.colour


def test_words_are_drawn(tmp_path: Path) -> None:
    words = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 20"><text x="2" y="15">CCNA</text></svg>'
    with Image.open(BytesIO(png_of(words, 100))) as image:
        assert image.getextrema()[3][1] == 255


@pytest.mark.parametrize("size", [0, -1, 2049])
def test_a_size_out_of_range_is_refused(size: int) -> None:
    with pytest.raises(ValueError):
        png_of("<svg/>", size)
