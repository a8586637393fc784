"""Logos: the artwork with the name beside it, as paths, so that they look the same everywhere."""

from collections.abc import Mapping
from io import BytesIO
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from libs.common.programs import Program
from services.certs.drawing import artwork, png_of
from services.certs.fonts import picture_fonts
from services.certs.lettering import Line
from services.certs.logos.logo import SIZES, logo_svg

SVG = "{http://www.w3.org/2000/svg}"
pytestmark = pytest.mark.skipif(not picture_fonts(), reason="fonts-noto-core is not installed")


def drawn(program: Program, title: str) -> str:
    return logo_svg(artwork(program), program.name, title)


def test_words_of_simple_scripts_are_paths(programs: Mapping[str, Program]) -> None:
    root = ET.fromstring(drawn(programs["cisco"], "CCNA Ελλάς Юлія"))
    assert root.get("aria-label") == "CCNA Ελλάς Юлія, Cisco Certification Program"
    assert not root.findall(f".//{SVG}text")


def test_words_of_other_scripts_stay_text(programs: Mapping[str, Program]) -> None:
    root = ET.fromstring(drawn(programs["cisco"], "認定 & <b>"))
    assert [each.text for each in root.findall(f".//{SVG}text")] == ["認定 & <b>"]
    with Image.open(BytesIO(png_of(drawn(programs["cisco"], "認定"), 512))) as image:
        tofu = Image.open(BytesIO(png_of(drawn(programs["cisco"], "\U000f0000\U000f0001"), 512)))
        assert image.tobytes() != tofu.tobytes()


@pytest.mark.parametrize("size", SIZES)
def test_a_png_has_the_width_asked_for(programs: Mapping[str, Program], size: int) -> None:
    with Image.open(BytesIO(png_of(drawn(programs["juniper"], "JNCIA-Junos"), size))) as image:
        assert image.width == size


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=200))
def test_any_title_gives_a_drawing_without_script_or_address(programs: Mapping[str, Program], title: str) -> None:
    root = ET.fromstring(drawn(programs["cisco"], title))
    for element in root.iter():
        assert element.tag.removeprefix(SVG) not in ("script", "image", "use", "a", "foreignObject", "style")
        assert not [name for name in element.attrib if name.lower().startswith("on") or name.endswith("href")]
    words = [element for element in root.iter() if element.tag == f"{SVG}text"]
    assert len(words) < 60


def test_lines_are_as_wide_as_their_letters() -> None:
    assert Line("iiii", 10).width < Line("MMMM", 10).width == pytest.approx(Line("MMMM", 20).width / 2)
