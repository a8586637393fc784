"""Every fault of a definition is found at once, and told with its line."""

from pathlib import Path

import pytest

from libs.common.programs import (
    AllNode,
    AnyNode,
    CertificationNode,
    ExamNode,
    NOfNode,
    Period,
    ProgramErrors,
    load_definition,
    load_program,
    load_programs,
)

HEAD = """\
id: acme
name: Acme Certification
version: 1
time_zone: Europe/Berlin
candidate_id: {prefix: ACM, digits: 8}
branding:
  sender_name: Acme
  sender_email: certifications@acme.example
  colour: "#00aa11"
  support_url: https://support.acme.example/
levels: [base]
reminders_days: [30, 90]
result_promise_business_days: 5
"""
FIRST_LINE = HEAD.count("\n") + 1

BODY = """\
exams:
  A-1: {title: First, role: core, track: North}
  A-2: {title: Second, role: core, track: South}
certifications:
  One: {title: One, level: base, track: North, requires: A-1, validity: 3 years}
"""


@pytest.fixture
def write(tmp_path: Path):
    def _write(text: str, name: str = "acme.yaml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def faults(path: Path) -> list[str]:
    with pytest.raises(ProgramErrors) as caught:
        load_program(path)
    return str(caught.value).split("\n")


def test_a_small_program_loads_with_its_defaults(write) -> None:
    program = load_program(write(HEAD + BODY))
    assert (program.id, program.candidate_id_digits, program.reminders) == ("acme", 8, (90, 30))
    one = program.certifications["One"]
    assert (one.requires, one.validity_years, one.entitlements) == (ExamNode("A-1"), 3, ())


def test_an_unknown_exam_is_told_with_file_line_and_path(write) -> None:
    path = write(HEAD + BODY.replace("requires: A-1", "requires: 200-999"))
    assert faults(path) == [f"acme.yaml:{FIRST_LINE + 4}: certifications.One.requires: unknown exam '200-999'"]


def test_all_faults_are_told_at_once_in_order_of_lines(write) -> None:
    text = HEAD.replace("Europe/Berlin", "Mars/Base").replace("prefix: ACM", "prefix: acm") + (
        "exams:\n"
        "  A-1: {title: First, kind: oral}\n"
        "  A-2: {first_day: 2026-05-01, last_day: 2026-04-01, title: Second}\n"
        "  A-3: {title: Third, last_day: 2026-02-30}\n"
        "certifications:\n"
        "  One:\n"
        "    title: One\n"
        "    level: top\n"
        "    requires:\n"
        "      all:\n"
        "        - A-1\n"
        "        - any: [A-2, B-9]\n"
        "        - certification: None\n"
        "    track: North\n"
        "    colour: red\n"
    )
    top = FIRST_LINE
    assert faults(write(text)) == [
        "acme.yaml:4: time_zone: unknown time zone 'Mars/Base'",
        "acme.yaml:5: candidate_id.prefix: string should match pattern '^[A-Z]{2,6}$'",
        f"acme.yaml:{top + 1}: exams.A-1.kind: input should be 'written' or 'practical'",
        f"acme.yaml:{top + 2}: exams.A-2.last_day: is before first_day",
        f"acme.yaml:{top + 3}: exams.A-3.last_day: '2026-02-30' is not a value of its kind (timestamp)",
        f"acme.yaml:{top + 14}: certifications.One.colour: unknown key",
    ]


def test_faults_of_references_are_told_together(write) -> None:
    text = (
        HEAD
        + "exams: {A-1: {title: First}}\n"
        + (
            "certifications:\n"
            "  One:\n"
            "    title: One\n"
            "    level: top\n"
            "    track: North\n"
            "    requires:\n"
            "      all:\n"
            "        - A-1\n"
            "        - any: [A-1, B-9]\n"
            "        - certification: Zero\n"
            "        - n_of: {n: 3, of: [A-1, A-1]}\n"
            "        - {exam: A-1, until: soon}\n"
            "        - some: [A-1]\n"
            "        - 200301\n"
            "        - all: []\n"
        )
    )
    top, path = FIRST_LINE + 1, "certifications.One.requires.all"
    assert faults(write(text)) == [
        f"acme.yaml:{top + 3}: certifications.One.level: unknown level 'top'",
        f"acme.yaml:{top + 8}: {path}[1].any[1]: unknown exam 'B-9'",
        f"acme.yaml:{top + 9}: {path}[2].certification: unknown certification 'Zero'",
        f"acme.yaml:{top + 10}: {path}[3].n_of.n: must be a whole number from 1 to the number of parts",
        f"acme.yaml:{top + 11}: {path}[4].until: must be a date like 2026-03-18",
        (
            f"acme.yaml:{top + 12}: {path}[5].some: unknown form 'some'; must be an exam code, or one of: "
            "exam, certification, all, any, n_of"
        ),
        (
            f"acme.yaml:{top + 13}: {path}[6]: must be an exam code, or one of: "
            "exam, certification, all, any, n_of; put the code in quotes"
        ),
        f"acme.yaml:{top + 14}: {path}[7].all: must be a list with at least one part",
    ]


def test_every_form_of_requirement_is_read(write) -> None:
    text = HEAD + BODY + (
        "  Two:\n"
        "    title: Two\n"
        "    level: base\n"
        "    track: North\n"
        "    requires:\n"
        "      all:\n"
        "        - any: [A-1, {exam: A-2, until: 2026-03-18}]\n"
        "        - certification: One\n"
        "        - n_of: {n: 1, of: [A-1, A-2]}\n"
    )  # fmt: skip
    first, second, third = load_program(write(text)).certifications["Two"].requires.parts  # type: ignore[union-attr]
    assert isinstance(first, AnyNode)
    assert [leaf.until and str(leaf.until) for leaf in first.parts] == [None, "2026-03-18"]  # type: ignore[union-attr]
    assert second == CertificationNode("One")
    assert third == NOfNode(1, (ExamNode("A-1"), ExamNode("A-2")))


def test_defaults_hold_unless_a_certification_says_otherwise(write) -> None:
    text = (
        HEAD
        + "defaults: {validity: 2 years, entitlements: [initial_kit], pass_counts: {written: 18 months}}\n"
        + BODY
        + "  Two:\n"
        + "    {title: Two, level: base, track: North, requires: A-2, entitlements: [],\n"
        + "     pass_counts: {practical: same day}}\n"
        + "  Three: {title: Three, level: base, track: North, requires: A-2, validity: never expires}\n"
    )
    certifications = load_program(write(text)).certifications
    one, two, three = (certifications[name] for name in ("One", "Two", "Three"))
    assert (one.validity_years, two.validity_years, three.validity_years) == (3, 2, None)
    assert (one.entitlements, two.entitlements) == (("initial_kit",), ())
    assert (two.pass_counts.written, two.pass_counts.practical) == (Period(18), Period(0))
    assert one.pass_counts.practical is None


def test_a_template_makes_one_certification_for_each_exam_of_its_roles(write) -> None:
    text = HEAD + BODY + (
        "  Badge-{exam}:\n"
        "    each_exam: {role: [core]}\n"
        '    title: "{title}, alone"\n'
        "    level: base\n"
        '    track: "{track}"\n'
        '    requires: {all: ["{exam}", certification: One]}\n'
    )  # fmt: skip
    made = load_program(write(text)).certifications["Badge-A-2"]
    assert (made.title, made.track) == ("Second, alone", "South")
    assert made.requires == AllNode((ExamNode("A-2"), CertificationNode("One")))


def test_faults_of_a_template_are_told_once(write) -> None:
    text = HEAD + BODY + (
        "  Badge-{exam}:\n"
        "    each_exam: {role: [core, lab]}\n"
        '    title: "{name}"\n'
        "    level: base\n"
        "    track: North\n"
        '    requires: "{exam}"\n'
        "  Badge-A-1: {title: One, level: base, track: North, requires: A-1}\n"
    )  # fmt: skip
    top = FIRST_LINE + 5
    assert faults(write(text)) == [
        f"acme.yaml:{top + 1}: certifications.Badge-{{exam}}.each_exam.role[1]: no exam has the role 'lab'",
        (
            f"acme.yaml:{top + 2}: certifications.Badge-{{exam}}.title: unknown placeholder {{name}}; "
            "known are {exam}, {title}, {track}"
        ),
        f"acme.yaml:{top + 6}: certifications.Badge-A-1: makes 'Badge-A-1', which is there already",
    ]


def test_what_is_missing_is_told_at_the_key_that_should_hold_it(write) -> None:
    path = write(HEAD + BODY + "  Two:\n    title: Two\n    level: base\n    requires: A-1\n")
    assert faults(path) == [f"acme.yaml:{FIRST_LINE + 5}: certifications.Two.track: is missing"]


def test_certifications_that_need_each_other_are_refused(write) -> None:
    text = (
        HEAD
        + BODY
        + "  Two: {title: Two, level: base, track: North, requires: {certification: Three}}\n"
        + "  Three: {title: Three, level: base, track: North, requires: {certification: Two}}\n"
    )
    (fault,) = faults(write(text))
    assert "is a circle: " in fault
    assert "Two needs Three" in fault


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("validity: 3", "certifications.One.validity: must read like '3 years' or 'never expires'"),
        ("validity: null", "certifications.One.validity: must read like '3 years' or 'never expires'"),
        ("entitlements: [car]", "certifications.One.entitlements[0]: unknown benefit 'car'"),
        (
            "pass_counts: {written: long}",
            ("certifications.One.pass_counts.written: must read like '3 years', '36 months', 'same day' or 'no limit'"),
        ),
        (
            (
                "earlier_validity: [{earned_before: 2026-01-01, validity: 1 years},"
                " {earned_before: 2025-01-01, validity: 1 years}]"
            ),
            "certifications.One.earlier_validity: must be in order of 'earned_before', each day once",
        ),
    ],
)
def test_a_wrong_value_is_told_in_the_words_of_the_language(write, written: str, told: str) -> None:
    path = write(HEAD + BODY.replace("validity: 3 years", written))
    assert faults(path) == [f"acme.yaml:{FIRST_LINE + 4}: {told}"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (HEAD + BODY + "  One: {}\n", f":{FIRST_LINE + 5}: certifications.One: is written twice"),
        ("id: [1, 2\nname: x\n", ":2: is not YAML: "),
        ("id: a\n\nname: \x07\n", ":3: contains a character that YAML forbids"),
        ("id: a\nname: Acme\tCertification\n", ":2: is not YAML: found character '\\t'"),
        ("", ":1: must be a mapping of keys to values"),
        ("- 1\n", ":1: must be a mapping of keys to values"),
        ("[" * 1_000_000, ":1: is nested too deeply"),
        ("loop: &a [*a]\n", ":1: loop[0]: anchors and aliases are not part of the language"),
        (
            HEAD + "exams: !!python/object:os.system {}\ncertifications: 1\n",
            "certifications: must be a mapping",
        ),
        (HEAD, ":1: exams: is missing"),
        (HEAD.replace("[base]", "[base, base, top]") + BODY, ":11: levels[1]: 'base' is listed twice"),
        (
            HEAD.replace("[base]", "[base, top]") + BODY,
            ":11: levels[1]: no certification has the level 'top'",
        ),
        (
            HEAD + BODY.replace("North}", "North, aliases: [A-2]}"),
            "aliases[0]: 'A-2' already names another exam",
        ),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_its_line(write, text: str, told: str) -> None:
    assert any(told in fault for fault in faults(write(text)))


def test_half_a_character_is_refused_with_its_line() -> None:
    with pytest.raises(ProgramErrors, match=r"^acme:2: contains a character that YAML forbids$"):
        load_definition("id: acme\nname: \ud83d\n", name="acme")


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "latin.yaml"
    path.write_bytes(b"id: acme\nname: Caf\xe9\n")
    assert faults(path) == ["latin.yaml:2: is not UTF-8 text"]


def test_a_file_that_is_not_there_is_told_by_name(tmp_path: Path) -> None:
    assert faults(tmp_path / "none.yaml") == ["none.yaml:1: cannot be read: No such file or directory"]


def test_a_directory_tells_the_faults_of_all_its_files(write, tmp_path: Path) -> None:
    write(HEAD + BODY.replace("level: base", "level: top"), "a.yaml")
    write(HEAD.replace("version: 1", "version: 0") + BODY, "b.yaml")
    with pytest.raises(ProgramErrors) as caught:
        load_programs(tmp_path)
    assert [(error.file, error.line) for error in caught.value.errors] == [
        ("a.yaml", FIRST_LINE + 4),
        ("b.yaml", 3),
    ]


def test_two_programs_do_not_share_an_id_or_a_prefix(write, tmp_path: Path) -> None:
    write(HEAD + BODY, "a.yaml")
    write(HEAD + BODY, "b.yaml")
    write(HEAD.replace("id: acme", "id: other") + BODY, "c.yaml")
    with pytest.raises(ProgramErrors) as caught:
        load_programs(tmp_path)
    assert [(error.file, error.path) for error in caught.value.errors] == [
        ("b.yaml", "id"),
        ("c.yaml", "candidate_id.prefix"),
    ]


def test_a_directory_without_definitions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgramErrors, match="holds no program definition"):
        load_programs(tmp_path)
