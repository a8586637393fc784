"""What a program asks for and what its rules say, in the words of whoever reads."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.common.languages import ENGLISH, LANGUAGES, READER, Language
from libs.common.programs import CertificationNode, ExamNode, Program, leaves
from libs.common.programs.model import AllNode, NOfNode
from libs.common.programs.policy import LADDER_CLAUSE, Extension, Way
from services.certs.cases import read_inputs
from services.certs.domain.asked import Asked, renewing, required, shares_exams
from services.certs.domain.chain import chain
from services.certs.domain.evaluate import evaluate
from services.certs.domain.rule_words import RuleWords, defined, rule_words
from services.certs.reasons_views import reasons_view
from tests.unit.certs.histories import DAYS, histories

MARKS = re.compile(r"[{}\[\]]|\b(all|any|n_of|exam|certification|requires|exams|credits): ")
TODAY = date(2026, 11, 22)
NOTHING = re.compile("own text states")
in_every_language = pytest.mark.parametrize("language", LANGUAGES.values(), ids=list(LANGUAGES))
in_both_programs = pytest.mark.parametrize("program_id", ["cisco", "juniper"])


@contextmanager
def read_in(language: Language) -> Iterator[None]:
    before = READER.set(language)
    try:
        yield
    finally:
        READER.reset(before)


def every(asked: Asked) -> Iterator[Asked]:
    yield asked
    for item in asked.items:
        yield from every(item)


def texts(words: RuleWords) -> list[str]:
    return [words.says, words.lead or "-", *(one.text for one in (every(words.asks) if words.asks else ()))]


@in_both_programs
@in_every_language
def test_every_requirement_and_way_to_renew_is_said_whole_and_without_marks_of_the_definition(
    programs: dict[str, Program], program_id: str, language: Language
) -> None:
    program = programs[program_id]
    for one in program.certifications.values():
        asked_for = {
            f"{one.path}.requires": {
                leaf.exam if isinstance(leaf, ExamNode) else leaf.certification for leaf in leaves(one.requires)
            },
            **{way.clause: frozenset().union(*way.slots) for way in one.renewal},
        }
        for clause, names in asked_for.items():
            with read_in(language):
                words = rule_words(program, one, clause)
            english = rule_words(program, one, clause)
            assert words.asks is not None
            told = [each for each in every(words.asks) if each.code is not None]
            assert {each.code for each in told} == names
            assert all(each.title and each.title in each.text and each.title in words.says for each in told)
            assert not any(MARKS.search(text) for text in texts(words))
            assert bool(words.lead) == bool(words.asks.items)
            assert language is ENGLISH or not set(texts(words)) - {"-"} & set(texts(english)), (
                "nothing is left in English"
            )


def stated(program: Program) -> dict[str, str]:
    """Every rule that is not for one certification, and a word of what it says."""
    policy = program.policy
    named = {
        LADDER_CLAUSE: "level and below" if policy.ladder else "",
        "emeritus": "of emeritus can be granted" if policy.emeritus else "",
        "extensions": "last active days of many",
        **{rule.clause: "A course renews" for rule in (policy.courses.rules if policy.courses else ())},
        **{one.clause: one.name for one in policy.designations},
        **{one.clause: "inactive time counts" for one in (policy.legacy_validity or {}).values()},
        **{one.clause: "moved" for one in policy.extensions},
    }
    return {clause: word for clause, word in named.items() if word}


@in_both_programs
@in_every_language
def test_every_rule_for_many_certifications_has_words(
    programs: dict[str, Program], program_id: str, language: Language
) -> None:
    extensions = (Extension(TODAY, 6, (TODAY, TODAY), "extensions[0]"), Extension(TODAY, 1, None, "extensions[1]"))
    program = programs[program_id]
    program = replace(program, policy=replace(program.policy, extensions=extensions))
    for clause, word in stated(program).items():
        english = rule_words(program, None, clause).says
        assert word in english
        with read_in(language):
            says = rule_words(program, None, clause).says
        assert not MARKS.search(says)
        assert language is ENGLISH or says != english


def test_how_long_it_lasts_is_said_by_the_rule_of_its_day(cisco: Program) -> None:
    one = cisco.certifications["CCST-Networking"]
    said = [rule_words(cisco, one, f"{one.path}.{clause}").says for clause in ("validity", "earlier_validity[0]")]
    assert said == [
        "It lasts 5 years from the day it is earned or renewed.",
        "Earned before 15 July 2025, it never expires.",
    ]


@in_both_programs
@settings(max_examples=60)
@given(st.data())
def test_no_rule_that_was_used_is_without_words(
    programs: dict[str, Program], program_id: str, data: st.DataObject
) -> None:
    program, as_of = programs[program_id], data.draw(DAYS)
    facts = read_inputs(data.draw(histories(program_id)), program)
    for entry in evaluate(program, facts, as_of).certifications.values():
        certification = defined(program, entry, facts, as_of)
        for rule in chain(entry, facts).rules:
            words = rule_words(program, certification, rule.clause, rule.acts)
            assert words.says.endswith(".")
            assert not NOTHING.search(words.says), rule
            assert not MARKS.search(words.says)


def test_a_rule_of_the_name_that_something_had_is_said_of_what_it_is_now(cisco: Program) -> None:
    renamed = cisco.certifications["CCNA"]
    former = cisco.certifications["CCST-Networking"]
    assert rule_words(cisco, renamed, f"{former.path}.requires") == rule_words(cisco, former, f"{former.path}.requires")
    assert rule_words(cisco, renamed, former.validity_clause) == rule_words(cisco, former, former.validity_clause)
    assert rule_words(cisco, former, f"{former.path}.requires").says.startswith("To earn it: ")


def test_parts_choices_and_titles_of_a_requirement_are_a_tree_of_plain_data(cisco: Program, juniper: Program) -> None:
    one = cisco.certifications["CCNP-Wireless"]
    words = rule_words(cisco, one, f"{one.path}.requires")
    assert words.lead == "To earn it, the program asks for all of these:"
    assert words.asks == Asked(
        "all",
        "all of these",
        2,
        items=(
            Asked("exam", "pass 350-101 Wireless core (WLCOR)", code="350-101", title="Wireless core (WLCOR)"),
            Asked(
                "any",
                "one of these",
                items=(
                    Asked(
                        "exam", "pass 300-110 Wireless design (WLSD)", code="300-110", title="Wireless design (WLSD)"
                    ),
                    Asked(
                        "exam",
                        "pass 300-120 Wireless implementation (WLSI)",
                        code="300-120",
                        title="Wireless implementation (WLSI)",
                    ),
                ),
            ),
        ),
    )
    assert words.says == (
        "To earn it: pass 350-101 Wireless core (WLCOR) and pass one of "
        "(300-110 Wireless design (WLSD); 300-120 Wireless implementation (WLSI))."
    )
    other = juniper.certifications["JNCIP-DC"]
    assert rule_words(juniper, other, f"{other.path}.requires").says == (
        "To earn it: pass JN0-683 Data Center Professional and one of "
        "(hold an active Juniper Networks Certified Specialist, Data Center; "
        "hold an active Juniper Networks Certified Specialist, Enterprise Routing and Switching)."
    )


def test_so_many_of_several_and_the_last_day_of_a_pass_are_said(cisco: Program) -> None:
    dated = ExamNode("350-401", date(2026, 3, 18))
    asked = required(cisco, AllNode((NOfNode(2, (dated, ExamNode("200-301"), CertificationNode("CCNA"))),)))
    assert (asked.kind, asked.count, asked.text) == ("n_of", 2, "2 of these")
    assert asked.items[0].until == date(2026, 3, 18)
    assert asked.sentence == (
        "2 of (pass 350-401 Enterprise core (ENCOR), which counts through 18 March 2026; pass 200-301 CCNA; "
        "hold an active Cisco Certified Network Associate)"
    )


def test_ways_to_renew_say_how_many_different_exams_and_credits(cisco: Program) -> None:
    labs, core = frozenset({"400-007", "350-401"}), frozenset({"350-401"})
    alike = Way((labs, labs), 40, "there")
    asked = renewing(cisco, alike)
    assert asked.sentence == "pass 2 of (350-401 Enterprise core (ENCOR); 400-007 CCDE written) and earn 40 credits"
    assert asked.items[-1] == Asked("credits", "earn 40 credits", 40)
    assert not shares_exams(alike)
    assert shares_exams(Way((labs, core), 0, "there")), "one exam would fit both"
    expert = cisco.certifications["CCIE-Security"]
    assert rule_words(cisco, expert, "renewal.expert[4]") == RuleWords(
        "One way to renew it: earn 120 credits.", asks=Asked("credits", "earn 120 credits", 120)
    )
    either = replace(expert, renewal=(Way((labs, core), 0, "there"),))
    words = rule_words(cisco, either, "there")
    assert words.lead == "To renew it, all of these together are one way, each with another exam:"
    assert words.says.endswith("Each exam counts once.")
    assert "another exam" not in (rule_words(cisco, expert, "renewal.expert[2]").lead or "")


def test_what_was_brought_back_by_another_of_its_track_is_said_by_the_way_of_that(juniper: Program) -> None:
    words = rule_words(juniper, juniper.certifications["JNCIS-ENT"], "renewal.expert[0]")
    assert "JPR-946" in words.says, "of its own track"
    assert "JPR-935" not in words.says


def test_what_staff_did_is_said_as_the_rule_and_not_by_the_definition_around_it(cisco: Program) -> None:
    inputs: list[dict[str, Any]] = [
        {"type": "exam", "code": "200-301", "date": "2026-01-02", "outcome": "pass"},
        {"type": "decision", "decision": "suspend", "cert": "CCNA", "date": "2026-02-03", "reason": "asked about"},
    ]
    suspended = rules_that_stand(cisco, inputs)
    assert suspended[-1].startswith("The program can suspend a certification.")
    inputs.append(inputs[1] | {"decision": "revoke", "date": "2026-03-04"})
    revoked = rules_that_stand(cisco, inputs)
    assert "The program can revoke a certification." in revoked[-1]
    assert revoked[0] == "To earn it: pass 200-301 CCNA."
    assert not any("Cisco Certified Network Associate" in each for each in revoked), "the definition names it"


def rules_that_stand(program: Program, inputs: list[dict[str, Any]]) -> list[str]:
    facts = read_inputs(inputs, program)
    (entry,) = evaluate(program, facts, TODAY).certifications.values()
    certification = defined(program, entry, facts, TODAY)
    view = reasons_view("C", program, TODAY, entry, chain(entry, facts), certification=certification)
    return [rule.says for rule in view.rules]


def test_a_rule_that_is_not_known_says_where_it_is_written(cisco: Program) -> None:
    words = rule_words(cisco, None, "nowhere")
    assert words == RuleWords("The program's own text states this rule under nowhere.")
