"""Why, from the engine to the page: what certs says of real histories, as candidates see it in their language."""

import re
from datetime import date
from html import unescape
from typing import Any

import pytest

from libs.common.languages import LANGUAGES, READER
from services.certs.cases import read_inputs
from services.certs.domain.chain import chain
from services.certs.domain.evaluate import evaluate
from services.certs.domain.rule_words import defined
from services.certs.reasons_views import reasons_view
from services.portal.certifications.pages import CertificationPages
from services.portal.web.cookies import Cookies
from tests.unit.portal.pages import CISCO, PROFILE, Services, browser

TODAY = date(2026, 11, 22)
PASSES: list[dict[str, Any]] = [
    {"type": "exam", "code": code, "date": day, "outcome": "pass"}
    for code, day in (("350-401", "2025-03-02"), ("300-410", "2025-04-05"))
]
SUSPENDED = {"type": "decision", "decision": "suspend", "cert": "CCNP-Enterprise", "date": "2026-02-03", "reason": "so"}
OWN_TEXT = re.compile(r'<details class="written on-paper">.*?</details>', re.DOTALL)


def services(inputs: list[dict[str, Any]]) -> Services:
    facts = read_inputs(inputs, CISCO)
    entry = evaluate(CISCO, facts, TODAY).certifications["CCNP-Enterprise"]
    certification = defined(CISCO, entry, facts, TODAY)
    reasons = reasons_view("CSCO1", CISCO, TODAY, entry, chain(entry, facts), certification=certification)
    holding = {"earned_on": entry.earned_on, "expires_on": entry.expires_on}
    held = {
        "certification": entry.certification,
        "title": entry.title,
        "status": entry.status,
        "text": entry.sentence,
        "because": [],
        "holdings": [holding],
        **holding,
    }
    return Services(
        {
            "/reasons": reasons.model_dump(mode="json"),
            "/certifications": {"as_of": TODAY, "certifications": [held]},
            "/history": {"lines": []},
            "/renewals": {"renewals": []},
            "/messages": {"items": []},
            "/agreement": {
                "version": "1",
                "title": "Agreement",
                "text": "",
                "required": False,
                "accepted": True,
                "acceptances": [],
            },
            "/profile": PROFILE,
        },
        {},
    )


async def page(inputs: list[dict[str, Any]], language: str) -> str:
    reader = READER.set(LANGUAGES[language])
    try:
        async with browser(CertificationPages(Cookies(secure=False)).routes(), services(inputs)) as client:
            answer = await client.get("/certifications/CCNP-Enterprise")
            assert answer.status == 200
            return unescape(await answer.text())
    finally:
        READER.reset(reader)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("inputs", [PASSES, [*PASSES, SUSPENDED]], ids=["held", "suspended"])
async def test_the_definition_stands_in_its_own_part_and_nowhere_else(
    inputs: list[dict[str, Any]], language: str
) -> None:
    text = await page(inputs, language)
    (own,) = OWN_TEXT.findall(text)
    assert "all: - 350-401 - any: [300-410" in own
    rest = OWN_TEXT.sub("", text)
    assert not re.search(r"\b(any|all|requires|title|level): ", rest)
    assert "300-415 SD-WAN (ENSDWI)" in rest


async def test_a_requirement_is_a_list_in_a_list_and_many_choices_are_folded() -> None:
    text = " ".join((await page(PASSES, "en")).split())
    assert "To earn it, the program asks for all of these:" in text
    assert "<li>Pass 350-401 Enterprise core (ENCOR)</li>" in text
    folded = r'<details class="on-paper"><summary>8 choices</summary> ?<ul class="asks"><li>Pass 300-410 '
    assert re.search(r"<li>One of these ?" + folded, text)


async def test_of_what_is_suspended_the_rule_is_said() -> None:
    text = await page([*PASSES, SUSPENDED], "en")
    assert "The program can suspend a certification. Its dates run on meanwhile" in OWN_TEXT.sub("", text)
