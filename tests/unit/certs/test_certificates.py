"""Certificates as files: whole in any script, readable by anybody, the same each time."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from libs.common.programs import Program
from services.certs.certificates import rendering
from services.certs.certificates.content import Content, paper_of
from services.certs.certificates.names import setting_of, width_of
from services.certs.certificates.page import page_of
from services.certs.certificates.rendering import CannotDraw, Unprintable, lacking, render
from tests.nodes import PACKAGES, needs_node
from tests.unit.certs.certificate_samples import CREDENTIAL, content_of

pytestmark = [
    pytest.mark.skipif(lacking() is not None, reason=str(lacking())),
    # WeasyPrint leaves its colour profile to the garbage collector to close.
    pytest.mark.filterwarnings("ignore:.*sRGB2014.icc:pytest.PytestUnraisableExceptionWarning"),
]

POINTS_PER_INCH = 72
DOTS_PER_INCH = 150
"""A modest printer or camera."""

NAMES = {
    "Latin": ("Łukasz Ağaoğlu-Nguyễn Þórðarson", "und-Latn", "ltr"),
    "Greek": ("Ελένη Παπαδοπούλου", "el", "ltr"),
    "Cyrillic": ("Юлія Їжакевич", "und-Cyrl", "ltr"),
    "Arabic": ("محمد عبد الله الخطيب", "ar", "rtl"),
    "Hebrew": ("דוד בן־גוריון", "he", "rtl"),
    "Devanagari": ("श्रीनिवास कृष्णमूर्ति", "hi", "ltr"),
    "Thai": ("สมชาย ศรีสุวรรณ", "th", "ltr"),
    "Japanese": ("髙橋さくら", "ja", "ltr"),
    "Korean": ("김민수", "ko", "ltr"),
    "Chinese": ("欧阳娜娜", "zh-Hans", "ltr"),
}


@pytest.fixture
def content(programs: Mapping[str, Program]) -> Content:
    return content_of(programs["cisco"])


def read(file: bytes) -> pikepdf.Pdf:
    return pikepdf.open(BytesIO(file))


def fonts(pdf: pikepdf.Pdf) -> Iterator[pikepdf.Object]:
    for one in pdf.objects:
        if isinstance(one, pikepdf.Dictionary) and one.get("/Type") == "/FontDescriptor":
            yield one


def shown(file: bytes) -> Any:
    """What pdf.js makes of it."""
    command = ["node", str(PACKAGES / "read_certificate.mjs")]
    return json.loads(subprocess.run(command, input=file, capture_output=True, check=True).stdout)


@pytest.mark.parametrize("script", NAMES)
def test_a_name_in_any_script_is_set_in_fonts_that_the_file_holds(content: Content, script: str) -> None:
    name, language, direction = NAMES[script]
    assert setting_of(name, "GB") == (language, direction)
    pdf = read(render(replace(content, name=name, native_name=name)))
    assert len(pdf.pages) == 1
    found = list(fonts(pdf))
    assert len(found) >= 2
    assert all("/FontFile2" in each or "/FontFile3" in each for each in found)


@needs_node
@pytest.mark.parametrize("script", NAMES)
def test_a_name_in_any_script_can_be_read_back(content: Content, script: str) -> None:
    name, _, _ = NAMES[script]
    (page,) = shown(render(replace(content, name="Ada Lovelace", native_name=name)))["pages"]
    # pdf.js tells signs in the order in which they are painted, and where letters merge not in the order of writing.
    assert set(filter(str.isalpha, name)) <= set(page["text"])


@needs_node
def test_readers_find_tags_language_title_and_the_credential(content: Content) -> None:
    seen = shown(render(content))
    (page,) = seen["pages"]
    assert (seen["language"], seen["marked"], seen["scripts"]) == ("en", True, None)
    assert seen["title"] == "Certificate: Cisco Certified Network Associate, Ada Lovelace"
    assert {"Document", "H1", "P", "Figure", "Link"} <= set(page["roles"])
    assert page["roles"].count("H1") == 1
    mark, code = page["alternatives"]
    assert (mark, code) == ("Mark of Cisco Certification Program", f"QR code that leads to {content.address}")
    assert set(page["links"]) == {content.address}
    for words in ("Ada Lovelace", "14 March 2024", "through 14 March 2027", "7K2M-9QXT-4HPW", "Rosa Feld"):
        assert words in page["text"]
    (attached,) = seen["attachments"]
    assert (attached["name"], base64.b64decode(attached["content"])) == ("credential.json", CREDENTIAL)


def test_a_phone_that_reads_the_code_is_led_to_the_page(content: Content) -> None:
    paper = pypdfium2.PdfDocument(render(content))[0].render(scale=DOTS_PER_INCH / POINTS_PER_INCH).to_pil()
    (code,) = zxingcpp.read_barcodes(paper)
    assert (code.format, code.text) == (zxingcpp.BarcodeFormat.QRCode, content.address)


def test_it_is_an_archive_file_with_the_credential_as_its_data(content: Content) -> None:
    pdf = read(render(content))
    with pdf.open_metadata() as metadata:
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "A")
    assert bytes(pdf.attachments["credential.json"].get_file().read_bytes()) == CREDENTIAL
    assert {str(each.AFRelationship) for each in pdf.Root.AF} == {"/Data"}
    assert pdf.Root.MarkInfo.Marked
    assert str(pdf.Root.Lang) == "en"


def test_nothing_in_it_runs_or_leads_elsewhere(content: Content) -> None:
    pdf = read(render(replace(content, name="<script>alert(1)</script>", title='<img src="file:///etc/hostname">')))
    for one in pdf.objects:
        if isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
            assert not {"/JS", "/JavaScript", "/OpenAction", "/AA", "/Launch", "/RichMedia"} & set(one.keys())
            assert one.get("/S") not in ("/JavaScript", "/Launch", "/GoToR", "/SubmitForm", "/ImportData")
            if "/URI" in one:
                assert str(one.URI) == content.address
    assert "&lt;script&gt;" in page_of(replace(content, name="<script>"))


def test_nothing_outside_the_page_is_opened(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Path("/etc/hostname").as_uri()
    page = page_of(content).replace("<h1>", f'<img src="{secret}"><img src="http://127.0.0.1:9/x.png"><h1>')
    monkeypatch.setattr(rendering, "page_of", lambda _: page)
    with pytest.raises(Unprintable, match=r'Error fetching "file:'):
        render(content)


def test_the_same_content_gives_the_same_bytes_in_every_process(content: Content, tmp_path: Path) -> None:
    given = replace(content, native_name="محمد 田中 שלום")
    (tmp_path / "content").write_text(repr(given))
    script = (
        "import datetime, hashlib, pathlib, sys\n"
        "from services.certs.certificates.content import Content\n"
        "from services.certs.certificates.rendering import render\n"
        "print(hashlib.sha256(render(eval(pathlib.Path(sys.argv[1]).read_text()))).hexdigest())\n"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / "content")],
            env=dict(os.environ) | {"PYTHONHASHSEED": seed, "TZ": zone, "LANG": language},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed, zone, language in (("1", "Asia/Tokyo", "C"), ("2", "America/Lima", "de_DE.UTF-8"))
    }
    assert digests == {hashlib.sha256(render(given)).hexdigest()}


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Ada King"},
        {"credential": CREDENTIAL + b" "},
        {"code": "7K2M-9QXT-4HPX"},
        {"issued_on": date(2026, 11, 23)},
        {"expires_on": None},
    ],
)
def test_another_content_gives_other_bytes(content: Content, change: dict[str, Any]) -> None:
    assert render(replace(content, **change)) != render(content)


@pytest.mark.parametrize(("country", "paper", "size"), [("DE", "A4", (842, 595)), ("US", "Letter", (792, 612))])
def test_paper_is_that_of_the_country(content: Content, country: str, paper: str, size: tuple[int, int]) -> None:
    assert paper_of(country) == paper
    pdf = read(render(replace(content, country=country)))
    assert tuple(round(float(each)) for each in list(pdf.pages[0].MediaBox)[2:]) == size


LONG = (*("Anna-Maria " * 16, "田中" * 80, "Wolfeschlegelsteinhausenbergerdorff" * 5), "मूर्ति " * 28)


@pytest.mark.parametrize("name", LONG)
def test_the_longest_names_stand_on_one_page(content: Content, name: str) -> None:
    longest = replace(content, name=f"{name} {name}"[:400], native_name=name[:200], title=f"{name}"[:200])
    assert len(read(render(longest)).pages) == 1


def test_a_sign_that_no_font_has_is_told_and_never_left_out(content: Content) -> None:
    with pytest.raises(Unprintable, match=r"U\+1F600"):
        render(replace(content, name="Ada 😀"))


LETTERS = "".join(name for name, _, _ in NAMES.values()) + " -'.,"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(LETTERS, min_size=1, max_size=120).filter(str.strip))
def test_any_mixture_of_letters_is_printed_whole(content: Content, name: str) -> None:
    pdf = read(render(replace(content, name=name.strip())))
    assert len(pdf.pages) == 1
    assert all("/FontFile2" in each or "/FontFile3" in each for each in fonts(pdf))


@pytest.mark.parametrize(
    ("country", "language"), [("JP", "ja"), ("KR", "ko"), ("TW", "zh-Hant"), ("HK", "zh-Hant"), ("CN", "zh-Hans")]
)
def test_han_characters_have_the_form_of_the_country(country: str, language: str) -> None:
    assert setting_of("直樹", country).language == language


@given(st.text(max_size=200))
def test_every_text_has_a_setting_and_a_width(text: str) -> None:
    assert setting_of(text, "XX").direction in ("ltr", "rtl")
    assert 0 <= width_of(text) <= 2 * len(text)


def test_a_machine_without_fonts_says_what_is_lacking(content: Content, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "FOLDERS", (Path("/nowhere"),))
    rendering._library.cache_clear()
    try:
        assert "fonts-noto-core" in str(lacking())
        with pytest.raises(CannotDraw):
            render(content)
    finally:
        rendering._library.cache_clear()


def test_a_font_folder_that_others_could_fill_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = tmp_path / f"certrail-fonts-{os.getuid()}"
    rendering._font_configuration()
    folder.chmod(0o777)
    with pytest.raises(CannotDraw, match="only we can write to"):
        rendering._font_configuration()
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    elsewhere.chmod(0o700)
    folder.symlink_to(elsewhere)
    with pytest.raises(CannotDraw, match="only we can write to"):
        rendering._font_configuration()
