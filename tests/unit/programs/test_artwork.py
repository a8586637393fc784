"""Of a program's artwork only plain drawing is taken: nothing in it runs, fetches, or grows."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs import ProgramErrors, load_definition, load_program
from libs.common.programs.artwork import LARGEST, MOST_ELEMENTS, ArtworkError, read_artwork
from libs.common.programs.live import LivePrograms
from tests.unit.programs.test_loader import BODY, HEAD

PROGRAMS = Path(__file__).parents[3] / "deploy" / "programs"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">{}</svg>'
TAKEN = "circle, clipPath, defs, ellipse, g, line, linearGradient, path, polygon, polyline, radialGradient, rect, stop"
DOT = '<circle cx="5" cy="5" r="4" fill="red"/>'


def drawing(inside: str) -> bytes:
    return SVG.format(inside).encode()


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.svg")), ids=lambda path: path.stem)
def test_the_artwork_that_ships_keeps_to_it(path: Path) -> None:
    clean = read_artwork(path.read_bytes())
    assert clean.startswith('<svg xmlns="http://www.w3.org/2000/svg" viewBox=')
    assert read_artwork(clean.encode()).count("<") == clean.count("<")


@pytest.mark.parametrize(
    ("inside", "why"),
    [
        ("<script>alert(1)</script>", "must not have <script>"),
        ('<circle r="1" onload="alert(1)"/>', "'onload'"),
        ("<style>@import url(https://x.example)</style>", "must not have <style>"),
        ('<circle r="1" style="fill:url(https://x.example)"/>', "'style'"),
        ('<image href="https://x.example/a.png"/>', "must not have <image>"),
        ('<a href="javascript:alert(1)"><circle r="1"/></a>', "must not have <a>"),
        ("<foreignObject><p/></foreignObject>", "must not have <foreignObject>"),
        ('<use href="#a"/>', "must not have <use>"),
        ("<text>Words</text>", "must not have <text>"),
        ('<animate attributeName="r"/>', "must not have <animate>"),
        ('<linearGradient id="a" xlink:href="https://x.example/#b"/>', "'href'"),
        ('<linearGradient id="a" href="#a"/>', "'href'"),
        ('<circle r="1" fill="url(https://x.example/#a)"/>', "'fill'"),
        ('<circle r="1" fill="url(#nowhere)"/>', "refers to 'nowhere'"),
        ('<circle r="1" stroke="URL(#a)"/>', "'stroke'"),
        ('<circle r="1" fill="&#x75;rl(//x.example)"/>', "'fill'"),
        ('<path id="a"/><path id="a"/>', "twice"),
        ("<svg/>", "must not have <svg>"),
        ("<unheard/>", "must not have <unheard>"),
    ],
)
def test_what_is_more_than_drawing_is_refused(inside: str, why: str) -> None:
    with pytest.raises(ArtworkError) as caught:
        read_artwork(drawing(inside))
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cannot be read as XML"),
        (b"\x89PNG\r\n\x1a\n", "cannot be read as XML"),
        (b'<svg viewBox="0 0 1 1"/>', "is no SVG"),
        (b"<html/>", "is no SVG"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "needs a viewBox"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 0 9"/>', "a width and a height"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1e9 nan"/>', "needs a viewBox"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + drawing("&a;"), "document type"),
        (b'<!DOCTYPE svg SYSTEM "file:///etc/passwd">' + drawing(""), "document type"),
        (b'<?xml-stylesheet href="https://x.example/a.css"?>' + drawing(""), "processing instruction"),
        (drawing("<g>" * 40 + "</g>" * 40), "nested too deeply"),
        (drawing("<g/>" * (MOST_ELEMENTS + 1)), "more than"),
        (b" " * (LARGEST + 1), "is larger than"),
        (b'<?xml version="1.0" encoding="UTF-16"?>' + drawing(""), "cannot be read as XML"),
    ],
)
def test_what_is_no_drawing_is_refused(content: bytes, why: str) -> None:
    with pytest.raises(ArtworkError) as caught:
        read_artwork(content)
    assert why in str(caught.value)


def test_notes_of_other_programs_are_left_out() -> None:
    notes = (
        '<title>Mark</title><metadata><rdf xmlns="urn:x">x</rdf></metadata><e:view xmlns:e="urn:editor"/>'
        '<circle xmlns:e="urn:editor" e:label="x" class="y" r="1"/><!-- note -->'
    )
    assert read_artwork(drawing(notes)) == read_artwork(drawing('<circle r="1"/>'))


def test_ids_cannot_meet_those_of_the_page_around() -> None:
    clean = read_artwork(drawing('<clipPath id="a"><path d="M0 0"/></clipPath><g clip-path="url(#a)"/>'))
    assert 'id="artwork-a"' in clean
    assert 'clip-path="url(#artwork-a)"' in clean


@given(st.text(max_size=60), st.sampled_from(["fill", "d", "transform", "id", "clip-path", "points"]))
def test_no_value_leads_anywhere_else(value: str, name: str) -> None:
    holder = ET.Element("path", {name: value})
    try:
        clean = read_artwork(drawing(ET.tostring(holder, encoding="unicode")))
    except ArtworkError:
        return
    kept = ET.fromstring(clean)[0].get(name, "")
    assert "//" not in kept
    assert "url" not in kept.lower() or kept.startswith("url(#artwork-")


def _write(folder: Path, artwork: bytes | None, version: int = 1) -> Path:
    head = HEAD.replace("version: 1", f"version: {version}").replace("branding:\n", "branding:\n  artwork: mark.svg\n")
    (folder / "acme.yaml").write_text(head + BODY)
    if artwork is not None:
        (folder / "mark.svg").write_bytes(artwork)
    return folder / "acme.yaml"


def test_a_program_has_the_artwork_beside_it(tmp_path: Path) -> None:
    program = load_program(_write(tmp_path, drawing(DOT)))
    assert program.branding.artwork == read_artwork(drawing(DOT))
    assert load_definition(program.definition, name="acme.yaml").branding.artwork is None


@pytest.mark.parametrize(
    ("artwork", "fault"),
    [
        (None, "mark.svg cannot be read: No such file or directory"),
        (
            drawing("<script/>"),
            f"mark.svg must not have <script>: it takes {TAKEN}",
        ),
    ],
)
def test_a_fault_in_it_is_told_at_the_field_that_names_it(tmp_path: Path, artwork: bytes | None, fault: str) -> None:
    with pytest.raises(ProgramErrors) as caught:
        load_program(_write(tmp_path, artwork))
    assert str(caught.value) == f"acme.yaml:7: branding.artwork: {fault}"


@pytest.mark.parametrize("name", ["../mark.svg", "/etc/mark.svg", "mark.png", "Mark.svg"])
def test_the_name_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    path = _write(tmp_path, drawing(DOT))
    path.write_text(path.read_text().replace("mark.svg", name))
    with pytest.raises(ProgramErrors, match=r"acme\.yaml:7: branding\.artwork: string should match"):
        load_program(path)


def test_another_artwork_needs_a_higher_version(tmp_path: Path) -> None:
    _write(tmp_path, drawing(DOT))
    live = LivePrograms(tmp_path)
    before = live["acme"].branding.artwork
    _write(tmp_path, drawing(DOT * 2))
    assert not live.look()
    assert live["acme"].branding.artwork == before
    _write(tmp_path, drawing(DOT * 3), version=2)
    assert live.look()
    assert live["acme"].branding.artwork == read_artwork(drawing(DOT * 3))


def test_artwork_that_comes_later_than_the_definition_is_seen(tmp_path: Path) -> None:
    _write(tmp_path, drawing(DOT))
    live = LivePrograms(tmp_path)
    (tmp_path / "mark.svg").unlink()
    _write(tmp_path, None, version=2)
    assert not live.look()
    (tmp_path / "mark.svg").write_bytes(drawing(DOT * 2))
    assert live.look()
    assert live["acme"].version == 2


def test_words_of_certificates_have_defaults_that_a_program_replaces(tmp_path: Path) -> None:
    program = load_definition(HEAD + BODY, name="acme.yaml")
    assert (program.certificate.signatory, program.certificate.statement[:7]) == (None, "has met")
    own = 'certificate: {statement: is, signatory: {name: Ada, title: Head}, logo_licence: "As you like."}\n'
    texts = load_definition(HEAD + own + BODY, name="acme.yaml").certificate
    assert (texts.statement, texts.signatory, texts.signatory_title) == ("is", "Ada", "Head")
    assert texts.logo_licence == "As you like."
