"""Profiles, settings and own data as pages: what is asked, in which order, and what an answer becomes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.programs.model import NewsText
from services.fulfillment.addresses.forms import form
from services.portal.addresses.countries import countries, own_language, strange_letters
from services.portal.addresses.shapes import Address, AddressForm
from services.portal.my_data.shapes import Export, Service
from services.portal.my_data.words import export_line
from services.portal.preferences.words import agreed_text, kinds_in_words
from services.portal.profile.address import OWN, Box, boxes_of, read_address, shown_in
from services.portal.profile.asking import answered_about, answered_news
from services.portal.profile.shapes import Consent
from services.portal.profile.steps import ABOUT, groups_of, way_of
from services.portal.profile.zones import zones
from services.portal.web.gate import GATE, is_open

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CODES = [code for code, _ in countries()]
MISSING = st.lists(
    st.sampled_from(["address", "address.city", "address.postal_code", *ABOUT, "news"]), unique=True, max_size=6
)


def form_of(country: str) -> AddressForm:
    """As fulfillment tells it."""
    known = form(country)
    assert known is not None, country
    fields = [
        {
            "name": one.name,
            "kind": one.kind,
            "required": one.required,
            "examples": list(one.examples),
            "options": [{"code": region.code, "name": region.name, "latin": region.latin} for region in one.options],
        }
        for one in known.fields
    ]
    return AddressForm.model_validate({"country": country, "fields": fields})


def boxes(country: str, **options: object) -> list[Box]:
    return boxes_of(form_of(country), country, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("country", "names"),
    [
        ("US", ["line1", "line2", "city", "region", "postal_code"]),
        ("SE", ["line1", "line2", "postal_code", "city"]),
        ("JO", ["line1", "own_line1", "line2", "own_line2", "city", "own_city", "postal_code"]),
        ("JP", ["postal_code", "region", "line1", "own_line1", "line2", "own_line2"]),
    ],
)
def test_boxes_stand_in_the_order_of_the_country_and_its_own_script_beside_the_latin_one(
    country: str, names: list[str]
) -> None:
    assert [box.name for box in boxes(country)] == names


def test_every_country_has_a_form_with_a_street_and_names_of_its_own() -> None:
    for country in CODES:
        found = boxes(country)
        assert "line1" in {box.name for box in found}, country
        assert len({box.name for box in found}) == len(found), country
        assert all(box.lacking for box in found if box.required), country
    assert {box.name: box.label for box in boxes("GB")}["city"] == "Post town"


def test_what_identity_wants_is_asked_for_where_the_form_of_the_country_has_no_box_for_it() -> None:
    last = boxes("JP", needed={"city"})[-2]
    assert (last.name, last.required, last.lacking) == ("city", True, "Enter the city")
    assert [box.name for box in boxes_of(None, "SE")] == ["line1", "line2", "city", "region", "postal_code"]


def test_faults_come_in_the_order_of_the_page_and_take_nothing_with_them() -> None:
    found = read_address("US", boxes("US"), {"line2": "Suite 2", "region": "Nowhere", "postal_code": "x" * 201})
    assert list(found.faults) == ["line1", "city", "region", "postal_code"]
    assert found.faults["region"] == "Choose the state"
    assert found.address is None
    whole = {"line1": "1 Main St", "city": "Springfield", "region": "IL", "postal_code": "62701"}
    assert read_address("US", boxes("US"), whole).address == {
        "lines": ["1 Main St"],
        "city": "Springfield",
        "region": "IL",
        "postal_code": "62701",
        "country": "US",
    }
    half = read_address("US", boxes("US"), whole | {"city": ""})
    assert (list(half.faults), half.address) == (
        ["city"],
        {"lines": ["1 Main St"], "city": None, "region": "IL", "postal_code": "62701", "country": "US"},
    )


def test_other_letters_move_to_the_box_that_is_for_them_and_never_over_what_stands_there() -> None:
    moved = read_address("JO", boxes("JO"), {"line1": "شارع 18", "city": "Amman"})
    assert moved.faults["line1"].startswith("Write the street and number in Latin letters. “شارع”")
    assert (moved.what["own_line1"], moved.address) == ("شارع 18", None)
    there = read_address("JO", boxes("JO"), {"line1": "شارع 18", "own_line1": "شارع الرينبو", "city": "Amman"})
    assert there.what["own_line1"] == "شارع الرينبو"
    assert not there.faults["line1"].endswith("below now")
    assert there.native is not None
    assert there.native["lines"] == ["شارع الرينبو"]


@given(st.sampled_from(CODES), st.data())
def test_an_address_that_was_taken_is_shown_as_it_was_typed(country: str, data: st.DataObject) -> None:
    latin = st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True)
    found = boxes(country)
    what = {
        box.name: data.draw(st.sampled_from([value for value, _ in box.options]) if box.options else latin)
        for box in found
    }
    taken = read_address(country, found, what)
    assert taken.faults == {}
    assert taken.address is not None
    native = Address.model_validate(taken.native) if taken.native else None
    shown = shown_in(Address.model_validate(taken.address), native)
    assert {name: shown[name] for name in what} == what


def test_letters_that_no_printer_has_are_told_from_accents() -> None:
    assert [strange_letters(text) for text in ("Zoë Ångström 18/2", "ул. Ленина, 1", "Straße 東京 1")] == [
        "",
        "ул",
        "東京",
    ]
    assert [own_language(country) for country in ("SE", "JO", "JP", "RU")] == [None, "ar", "ja", "ru"]
    assert OWN + "line1" not in {box.name for box in boxes("SE")}
    assert OWN + "line1" in {box.name for box in boxes("SE", own=True)}, "nothing that is there is hidden"


@given(MISSING)
def test_every_missing_group_is_asked_once_and_news_never_alone_beside_others(missing: list[str]) -> None:
    way = way_of(missing)
    asked = [group for step in way.steps for group in step.groups]
    assert set(asked) == groups_of(missing)
    assert len(asked) == len(set(asked))
    assert (way.current, way.step is None) == ((1, False) if missing else (0, True))
    assert len(way.steps) == len(groups_of(missing) - {"news"}) or groups_of(missing) == {"news"}


@given(MISSING, MISSING)
def test_steps_that_are_done_stay_on_the_way_and_new_ones_join_it(before: list[str], after: list[str]) -> None:
    begun = way_of(before)
    now = way_of(after, begun.key)
    assert now.steps[: len(begun.steps)] == begun.steps
    assert groups_of(after) <= {group for step in now.steps for group in step.groups}
    if now.step is not None:
        assert groups_of(after) & set(now.step.groups)
        assert not any(groups_of(after) & set(step.groups) for step in now.steps[: now.current - 1])
    assert (now.step is None) == (not after)


def test_a_way_that_somebody_made_up_is_none() -> None:
    assert [step.key for step in way_of(["news"], "nonsense..address-news.<b>").steps] == ["address-news"]


@pytest.mark.parametrize("path", [GATE, "/profile/address", "/account", "/security/email", "/cases", "/my-data/copy"])
def test_ways_out_and_ones_own_rights_wait_for_nothing(path: str) -> None:
    assert is_open(path)


@pytest.mark.parametrize("path", ["/", "/profile", "/exams/1", "/settings", "/plan", "/profiles", "/accounts"])
def test_everything_else_waits_for_the_gate(path: str) -> None:
    assert not is_open(path)


def test_questions_about_a_person_need_an_answer_each_and_keep_those_that_have_one() -> None:
    found = answered_about(["native_name", "employer", "time_zone"], {"native_given": "زوي", "employer": "Écume"})
    assert list(found.faults) == ["native_family", "time_zone"]
    assert found.body == {"employer": "Écume"}
    assert list(answered_about(["time_zone", "language"], {"time_zone": "Mars/Crater", "language": "xx"}).faults) == [
        "time_zone",
        "language",
    ]


def test_news_are_never_chosen_for_anybody_and_the_text_is_kept_with_the_answer() -> None:
    text = NewsText("2026-1", "Yes, write to me.")
    assert answered_news({}, text).faults == {"news": "Choose whether you want news by e-mail"}
    assert answered_news({"news": "no"}, text).body == {"marketing": {"given": False, "text_version": "2026-1"}}
    agreed = Consent(given=True, text_version="2026-1", at=NOW)
    assert agreed_text(agreed, text) == "Yes, write to me."
    assert agreed_text(agreed.model_copy(update={"text_version": "2025-1"}), text) is None, "another text, unknown here"


def test_kinds_of_mails_are_sent_unless_they_were_refused() -> None:
    assert kinds_in_words({}) == "All of them"
    assert kinds_in_words({"offers": False, "results": True}) == "All but: Kits and benefits"


def test_zones_stand_by_continent_with_their_time_and_one_chosen_under_an_old_name_stays() -> None:
    found = dict(zones(NOW, "Asia/Calcutta"))
    assert "Amman, 12:00" in [one.words for one in found["Asia"]]
    assert "Asia/Calcutta" in [one.key for one in found["Asia"]]
    assert list(found)[-1] == "UTC"


def test_a_copy_can_be_taken_once_it_is_whole() -> None:
    parts = [Service(service="certs", state="answered"), Service(service="exams", state="waiting")]
    begun = Export(export_id="X1", state="collecting", requested_at=NOW, ready_at=None, expires_at=None, services=parts)
    assert (export_line(begun).link, export_line(begun).have, export_line(begun).of) == (None, 1, 2)
    late = begun.model_copy(update={"services": [*parts, Service(service="notify", state="overdue")]})
    assert export_line(late).chip.word == "Delayed"
    ready = begun.model_copy(update={"state": "ready", "expires_at": NOW + timedelta(days=7), "services": []})
    assert export_line(ready).link == "/my-data/copy/X1"
    assert "29\xa0November\xa02026" in export_line(ready).text
