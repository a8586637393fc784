"""The section that says what a program gives and sells to those it certifies."""

from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from libs.common.programs import Benefit, Customs, Period, Price, Program, ProgramErrors, load_definition

FOLDER = Path(__file__).parents[3] / "deploy" / "programs"
CISCO = (FOLDER / "cisco.yaml").read_text(encoding="utf-8")
WITHOUT = yaml.safe_load(CISCO)
del WITHOUT["benefits"]


def load(benefits: object = None, **more: object) -> Program:
    written = WITHOUT | more | ({} if benefits is None else {"benefits": benefits})
    for one in written["certifications"].values():
        if "plaque" in one.get("entitlements", ()):
            one["entitlements"] = ["initial_kit"]
    return load_definition(yaml.safe_dump(written, sort_keys=False), name="cisco.yaml")


def test_without_the_section_there_is_the_kit() -> None:
    assert dict(load().benefits) == {"initial_kit": Benefit("initial_kit", "Welcome kit")}


def test_a_benefit_is_read_with_everything_that_is_said_of_it() -> None:
    program = load_definition(CISCO, name="cisco.yaml")
    jacket, plaque = program.benefits["years-25"], program.benefits["plaque"]
    assert (jacket.milestone, jacket.once, jacket.token, jacket.ships) == ("years-25", "ever", True, True)
    assert jacket.choices["size"] == ("XS", "S", "M", "L", "XL", "XXL", "3XL")
    assert (jacket.claim_within, jacket.promise) == (Period(24), (12, 16))
    assert plaque.price == Price(Decimal("79.00"), "USD")
    assert plaque.customs == Customs("Engraved wooden wall plaque", "442090", "US", Price(Decimal(79), "USD"))
    assert program.certifications["CCIE-Security"].entitlements == ("initial_kit", "plaque")
    assert (plaque.once, plaque.again, plaque.milestone) == ("certification", False, None)


def test_what_is_offered_again_is_said_so() -> None:
    found = load({"initial_kit": {"title": "Kit", "when_earned_again": "offered again"}})
    assert found.benefits["initial_kit"].again


@pytest.mark.parametrize(
    ("benefits", "told"),
    [
        ({"mug": {"title": "Mug", "milestone": "years-26"}}, "benefits.mug.milestone: unknown milestone 'years-26'"),
        ({"mug": {"title": "Mug", "milestone": "years-25", "once": "level"}}, "'once' must be 'ever'"),
        ({"mug": {"title": "Mug", "milestone": "years-25", "when_earned_again": "offered again"}}, "not earned again"),
        ({"mug": {"title": "Mug", "once": "ever", "when_earned_again": "offered again"}}, "once for each certif"),
        ({"mug": {"title": "Mug", "choices": {"size": ["S", "S"]}}}, "each value is listed once"),
        ({"mug": {"title": "Mug", "choices": {"size": []}}}, "benefits.mug.choices.size"),
        ({"mug": {"title": "Mug", "promise_weeks": {"usual": 3, "most": 2}}}, "no less than 'usual'"),
        ({"mug": {"title": "Mug", "price": {"amount": 4.5, "currency": "USD"}}}, "benefits.mug.price.amount"),
        ({"mug": {"title": "Mug", "price": {"amount": "0.00", "currency": "USD"}}}, "costs nothing"),
        ({"mug": {"title": "Mug", "vendor": "A.b"}}, "benefits.mug.vendor"),
    ],
)
def test_a_fault_is_told_where_it_stands(benefits: object, told: str) -> None:
    with pytest.raises(ProgramErrors, match=r"benefits\.mug") as caught:
        load(benefits)
    assert told in str(caught.value)


def test_an_award_entitles_to_what_comes_with_awards() -> None:
    mug = {"mug": {"title": "Mug", "milestone": "years-25"}}
    with pytest.raises(ProgramErrors) as caught:
        load(mug, defaults=WITHOUT["defaults"] | {"entitlements": ["initial_kit", "mug", "cap"]})
    told = str(caught.value)
    assert "defaults.entitlements[1]: 'mug' comes with a milestone, not with an award" in told
    assert "defaults.entitlements[2]: unknown benefit 'cap'" in told
