"""Pictures with credentials in them, bits, links and verdicts."""

import json
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from libs.common.programs import Program
from services.certs.credentials import bits
from services.certs.credentials.baking import NAMESPACE, baked_png, baked_svg, credentials_in_png
from services.certs.credentials.linkedin import add_to_profile
from services.certs.credentials.page import badge_page, verdict
from services.certs.credentials.pictures import badge_png, badge_svg
from services.certs.public.addresses import Addresses
from tests.unit.certs.test_credential_documents import credential

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
AWKWARD = json.dumps({"name": "Ünïcode 証明 🎓 ]]> </svg>"}, ensure_ascii=False).encode()


def test_a_png_holds_one_credential_in_ascii_and_is_a_picture(programs: Mapping[str, Program]) -> None:
    picture = badge_png(programs["cisco"], "CCNA")
    once = baked_png(picture, b'{"old": 1}')
    baked = baked_png(once, AWKWARD)
    (found,) = credentials_in_png(baked)
    assert found.isascii()
    assert json.loads(found) == json.loads(AWKWARD)
    with Image.open(BytesIO(baked)) as image:
        image.load()
        assert (image.format, image.size, list(image.text)) == ("PNG", (512, 512), ["openbadgecredential"])
    assert zlib.crc32(b"iTXt" + baked[41 : 41 + int.from_bytes(baked[33:37])]).to_bytes(4) in baked


@pytest.mark.parametrize(
    "what", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n\x00\x00", b"\x89PNG\r\n\x1a\n\x7f\xff\xff\xffIHDR"]
)
def test_what_is_no_png_is_refused(what: bytes) -> None:
    with pytest.raises(ValueError, match=r"PNG"):
        baked_png(what, b"{}")


def test_an_svg_holds_it_as_its_first_element_and_has_no_script(programs: Mapping[str, Program]) -> None:
    baked = baked_svg(badge_svg(programs["cisco"], 'A "<b>" & <script>alert(1)</script>'), AWKWARD)
    root = ET.fromstring(baked)
    assert root[0].tag == f"{{{NAMESPACE}}}credential"
    assert json.loads(root[0].text or "") == json.loads(AWKWARD)
    assert baked.count(b"openbadges:credential>") == 2
    assert baked.isascii() or b"]]>" in baked
    assert not [one for one in root.iter() if one.tag.endswith("script")]
    assert not re.search(rb"\son[a-z]+=|href=|javascript:", baked)


@given(st.sets(st.integers(0, bits.LENGTH - 1), max_size=50))
def test_exactly_the_bits_asked_for_are_set(indexes: set[int]) -> None:
    text = bits.encoded(indexes)
    assert text.startswith("u")
    found = bits.decoded(text)
    assert {index for index in range(bits.LENGTH) if found[index // 8] and bits.is_set(found, index)} == indexes
    assert bits.encoded(indexes) == text


def test_bit_0_is_the_leftmost() -> None:
    assert bits.decoded(bits.encoded([0]))[:2] == b"\x80\x00"
    with pytest.raises(ValueError, match="no index"):
        bits.encoded([bits.LENGTH])


def test_linkedin_gets_months_from_1_to_12_and_no_expiry_where_there_is_none() -> None:
    one = credential(earned_on=date(2025, 12, 1), expires_on=date(2028, 1, 31), title="CCNA & more")
    link = add_to_profile(one, organisation="Cisco", page="https://certs.example/b/1")
    asked = {name: value for name, (value,) in parse_qs(urlsplit(link).query).items()}
    assert (asked["name"], asked["certUrl"]) == ("CCNA & more", "https://certs.example/b/1")
    assert (asked["issueYear"], asked["issueMonth"]) == ("2025", "12")
    assert (asked["expirationYear"], asked["expirationMonth"]) == ("2028", "1")
    assert "expiration" not in add_to_profile(credential(expires_on=None), organisation="C", page="p")


def test_the_verdict_says_what_holds(programs: Mapping[str, Program]) -> None:
    program = programs["cisco"]

    def said(suspended: bool = False, at: datetime = NOW, **more: object) -> tuple[str, str]:
        found = verdict(credential(**more), program, at, suspended=suspended)
        return found.seal, found.heading

    assert said() == ("ok", "Genuine and unchanged.")
    assert said(at=datetime(2028, 3, 11, 7, 59, tzinfo=UTC)) == ("ok", "Genuine and unchanged.")
    assert said(at=datetime(2028, 3, 11, 8, tzinfo=UTC)) == ("warn", "Genuine, but expired.")
    assert said(suspended=True) == ("bad", "Not valid at present: suspended.")
    revoked = said(state="revoked", revoked_at=NOW, expires_on=date(2020, 1, 1))
    assert revoked == ("bad", "Not valid: revoked on 22 November 2026.")


def test_the_page_tells_the_name_only_where_it_was_chosen_and_nothing_else_of_the_person(
    programs: Mapping[str, Program],
) -> None:
    addresses = Addresses("https://certs.example")
    plain = badge_page(credential(), programs["cisco"], addresses, NOW, suspended=False).decode()
    named = credential(recipient_name="<b>Ada</b>")
    text = badge_page(named, programs["cisco"], addresses, NOW, suspended=False).decode()
    assert "&lt;b&gt;Ada" in text
    assert "<b>Ada" not in text
    assert "Ada" not in plain
    assert "C1" not in plain
    assert credential().email_hash not in plain
    for page in (plain, text):
        assert "<script" not in page
        assert "style=" not in page
        assert page.count("<h1") == 1
        assert "7K2M-9QXT-4HPW" in page
