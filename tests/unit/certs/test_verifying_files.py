"""A credential is found in files of every kind, and no file of a stranger does more than be refused."""

import json
import struct
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from html import escape
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from libs.common.http.problems import Problem
from services.certs.verifying.extracting import extract
from services.certs.verifying.found import MOST_BYTES, MOST_TEXT_BYTES, Fault, Found, UnreadableError
from services.certs.verifying.pdf import MOST_ATTACHMENTS, NAME
from services.certs.verifying.png import KEYWORD, SIGNATURE, credential_in_png
from services.certs.verifying.uploads import file_in_form
from tests.unit.certs.credential_samples import VECTORS, credential

TEXT = json.dumps(credential())
NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
DOCUMENTS = st.dictionaries(st.text(), JSON_VALUES, max_size=5)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def text_chunk(text: bytes, *, keyword: bytes = KEYWORD, deflated: bool = False) -> bytes:
    return chunk(b"iTXt", keyword + (b"\0\x01\0\0\0" if deflated else b"\0\0\0\0\0") + text)


def picture(*chunks: bytes) -> bytes:
    return SIGNATURE + chunk(b"IHDR", bytes(13)) + b"".join(chunks) + chunk(b"IEND", b"")


def drawing(*elements: str, before: str = "") -> bytes:
    inside = "".join(elements)
    return f'{before}<svg xmlns="http://www.w3.org/2000/svg" xmlns:ob="{NAMESPACE}">{inside}</svg>'.encode()


def element(text: str) -> str:
    safe = text.replace("]]>", "]]\\u003e")
    return f"<ob:credential><![CDATA[{safe}]]></ob:credential>"


def paper(*files: tuple[str, bytes]) -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        for number, (name, content) in enumerate(files):
            pdf.attachments[f"{number:04}"] = pikepdf.AttachedFileSpec(pdf, content, filename=name)
        pdf.save(made := BytesIO())
    return made.getvalue()


def token(header: Any, payload: Any) -> str:
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload)]
    return ".".join([*parts, "c2lnbmF0dXJl"])


WRAPS: dict[str, Callable[[str], bytes]] = {
    "json": str.encode,
    "png": lambda text: picture(text_chunk(text.encode())),
    "svg": lambda text: drawing(element(text)),
    "pdf": lambda text: paper((NAME, text.encode())),
}


def fault(content: bytes) -> Fault:
    with pytest.raises(UnreadableError) as refused:
        extract(content)
    return refused.value.fault


@pytest.mark.parametrize("form", WRAPS)
def test_credential_is_found_as_it_is(form: str) -> None:
    found = extract(WRAPS[form](TEXT))
    assert found.form == form
    assert json.loads(found.document) == credential()


@pytest.mark.parametrize("form", WRAPS)
def test_token_is_found_with_what_it_says(form: str) -> None:
    written = token({"alg": "RS256"}, credential())
    found = extract(WRAPS[form](written))
    assert found == Found(found.form, found.document, token=written, header='{"alg": "RS256"}')
    assert json.loads(found.document) == credential()


@pytest.mark.parametrize("name", ["simple-json.png", "simple-json.svg", "simple-jwt.png", "simple-jwt.svg"])
def test_samples_of_1edtech_are_read(name: str) -> None:
    found = extract((VECTORS / "baked" / name).read_bytes())
    assert json.loads(found.document)["type"] == ["VerifiableCredential", "OpenBadgeCredential"]
    assert (found.token is not None) == ("jwt" in name)


@given(DOCUMENTS, st.sampled_from(sorted(WRAPS)))
@settings(max_examples=60)
def test_any_document_comes_back(document: dict[str, Any], form: str) -> None:
    assert json.loads(extract(WRAPS[form](json.dumps(document))).document) == document


@given(st.binary(max_size=400), st.sampled_from(["", *sorted(WRAPS)]), st.data())
@settings(max_examples=300)
@example(b"", "", None)
def test_whatever_is_sent_is_read_or_refused(noise: bytes, form: str, data: Any) -> None:
    """Files cut, and files with bytes of chance in their midst."""
    whole = WRAPS[form](TEXT) if form else b""
    begin = data.draw(st.integers(0, len(whole))) if data is not None else 0
    end = data.draw(st.integers(begin, len(whole))) if data is not None else 0
    try:
        found = extract(whole[:begin] + noise + whole[end:])
    except UnreadableError:
        return
    assert isinstance(json.loads(found.document), dict)


@pytest.mark.parametrize("form", ["png", "pdf", "svg", "json"])
@given(st.data())
@settings(max_examples=40)
def test_what_is_cut_short_is_refused(form: str, data: Any) -> None:
    whole = WRAPS[form](TEXT)
    cut = whole[: data.draw(st.integers(0, len(whole) - 8))]
    assert fault(cut) in {"damaged", "format_unknown", "no_credential"}


def test_two_credentials_in_one_file_are_refused() -> None:
    other = json.dumps(credential(name="another"))
    assert fault(picture(text_chunk(TEXT.encode()), text_chunk(other.encode()))) == "several_credentials"
    assert fault(picture(text_chunk(TEXT.encode()), chunk(b"tEXt", KEYWORD + b"\0" + b"x"))) == "several_credentials"
    assert fault(drawing(element(TEXT), element(other))) == "several_credentials"
    both = f'<ob:credential verify="{token({}, {})}">{escape(TEXT)}</ob:credential>'
    assert fault(drawing(both)) == "several_credentials"
    assert fault(paper((NAME, TEXT.encode()), (NAME, other.encode()))) == "several_credentials"


def test_other_texts_and_files_beside_the_credential_do_not_matter() -> None:
    assert extract(picture(text_chunk(b"a badge", keyword=b"Title"), text_chunk(TEXT.encode()))).form == "png"
    assert extract(paper(("letter.txt", b"Dear Sir"), (NAME, TEXT.encode()))).form == "pdf"


def test_file_without_a_credential_says_so() -> None:
    files = (picture(), picture(text_chunk(b"x", keyword=b"Title")), drawing(), paper(), paper(("a.json", b"{}")))
    assert {fault(file) for file in files} == {"no_credential"}


def test_damaged_chunk_is_refused() -> None:
    whole = picture(text_chunk(TEXT.encode()))
    at = whole.index(b"Specialist")
    assert fault(whole[:at] + b"X" + whole[at + 1 :]) == "damaged"
    assert fault(whole + b"more") == "damaged"


def test_text_that_unpacks_to_gigabytes_is_refused() -> None:
    bomb = zlib.compress(bytes(MOST_TEXT_BYTES + 1))
    assert len(bomb) < 2_000
    with pytest.raises(UnreadableError, match="too_large"):  # while it unpacks, not when all of it is there
        credential_in_png(picture(text_chunk(bomb, deflated=True)))
    assert extract(picture(text_chunk(zlib.compress(TEXT.encode()), deflated=True))).form == "png"


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://127.0.0.1/a.dtd"> %a;]>',
    ],
)
def test_entities_are_refused(before: str) -> None:
    assert fault(drawing(element(TEXT), before=before)) == "damaged"


def test_pdf_with_many_attachments_is_refused() -> None:
    files = [(f"{number}.txt", b"") for number in range(MOST_ATTACHMENTS)]
    assert extract(paper((NAME, TEXT.encode()), *files[1:])).form == "pdf"
    assert fault(paper((NAME, TEXT.encode()), *files)) == "too_large"


def test_locked_pdf_is_refused() -> None:
    with pikepdf.open(BytesIO(paper((NAME, TEXT.encode())))) as pdf:
        pdf.save(made := BytesIO(), encryption=pikepdf.Encryption(owner="owner", user="user"))
    assert fault(made.getvalue()) == "damaged"


@pytest.mark.parametrize(
    "text",
    [
        '{"issuer": "a", "issuer": "b"}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
        '{"a": ' * 30 + "1" + "}" * 30,
        '{"a":' * 100_000,
        '{"a": 1} {"b": 2}',
        "{",
    ],
)
def test_json_that_readers_take_differently_is_refused(text: str) -> None:
    assert fault(text.encode()) == "damaged"


def test_what_is_larger_than_anything_of_ours_is_refused() -> None:
    assert fault(bytes(MOST_BYTES + 1)) == "too_large"
    assert fault(json.dumps({"a": "x" * MOST_TEXT_BYTES}).encode()) == "too_large"


@pytest.mark.parametrize("text", [b"", b"hello", b"a.b", b"[]", b"\xff\xfe", b"GIF89a", b"<html/>"])
def test_other_files_are_of_an_unknown_kind(text: bytes) -> None:
    assert fault(text) == "format_unknown"


def form_of(file: bytes, boundary: str, *, name: str = "file") -> bytes:
    head = f'Content-Disposition: form-data; name="{name}"; filename="a.png"\r\nContent-Type: image/png'
    return f"--{boundary}\r\n{head}\r\n\r\n".encode() + file + f"\r\n--{boundary}--\r\n".encode()


@given(st.binary(max_size=300))
def test_file_in_a_form_is_the_file(file: bytes) -> None:
    boundary = "----WebKitFormBoundaryAbC123"
    assert file_in_form(form_of(file, boundary), f"multipart/form-data; boundary={boundary}") == file


@given(st.binary(max_size=200), st.text(max_size=60))
def test_no_form_is_more_than_refused(content: bytes, header: str) -> None:
    with pytest.raises(Problem):
        file_in_form(content, header)


def test_form_without_the_file_is_refused() -> None:
    with pytest.raises(Problem) as refused:
        file_in_form(form_of(b"x", "b", name="other"), "multipart/form-data; boundary=b")
    assert refused.value.kind.status == 422
