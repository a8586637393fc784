"""The two programs that ship."""

from pathlib import Path

import pytest

from libs.common.programs import CertificationNode, ExamNode, Program, leaves, load_programs, prerequisites

PROGRAMS = Path(__file__).parents[3] / "deploy" / "programs"


@pytest.fixture(scope="module")
def programs() -> dict[str, Program]:
    return load_programs(PROGRAMS)


def test_both_load(programs: dict[str, Program]) -> None:
    assert {name: program.candidate_id_prefix for name, program in programs.items()} == {
        "cisco": "CSCO",
        "juniper": "JPR",
    }
    assert programs["cisco"].reminders == (730, 365, 90, 60, 30)


def test_every_exam_leads_somewhere(programs: dict[str, Program]) -> None:
    for program in programs.values():
        used = {
            leaf.exam
            for certification in program.certifications.values()
            for leaf in leaves(certification.requires)
            if isinstance(leaf, ExamNode)
        }
        assert used == set(program.exams)


def test_every_core_and_concentration_exam_gives_a_specialist(programs: dict[str, Program]) -> None:
    cisco = programs["cisco"]
    for code, exam in cisco.exams.items():
        made = cisco.certifications.get(f"Specialist-{code}")
        if exam.role in {"core", "concentration"}:
            assert made is not None
            assert (made.requires, made.track) == (ExamNode(code), exam.track)
            assert exam.title in made.title
    assert "Specialist-200-301" not in cisco.certifications


def test_every_juniper_certification_above_associate_has_a_prerequisite_of_the_level_below(
    programs: dict[str, Program],
) -> None:
    juniper = programs["juniper"]
    rank = {level: position for position, level in enumerate(juniper.levels)}
    for certification in juniper.certifications.values():
        needed = {rank[juniper.certifications[name].level] for name in prerequisites(certification)}
        own = rank[certification.level]
        assert needed == ({own - 1} if own else set())


def test_cisco_has_no_prerequisites(programs: dict[str, Program]) -> None:
    for certification in programs["cisco"].certifications.values():
        assert not any(isinstance(leaf, CertificationNode) for leaf in leaves(certification.requires))


def test_an_exam_is_found_by_its_other_code(programs: dict[str, Program]) -> None:
    exam = programs["cisco"].find_exam("CCIE-EI-LAB")
    assert exam is not None
    assert (exam.code, exam.kind) == ("LAB:CCIE-Enterprise-Infrastructure", "practical")
    assert programs["cisco"].find_exam("999-999") is None
