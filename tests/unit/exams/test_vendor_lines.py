"""A candidate as a line for a vendor: letters, lengths, what is needed; and the files that lines make."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.common.vendor_files.definition import Confirmations
from libs.common.vendor_files.names import NamePattern
from libs.common.vendor_files.tables import Answer, Fault, read_confirmation, table, zipped
from services.exams.outgoing.definition import PERSON_COLUMNS, AuthorizationsShape, DemographicsShape
from services.exams.outgoing.people_lines import line_of

WHERE: dict[str, Any] = {
    "folder": "/in",
    "file": "cdd-{program}-{number}.txt",
    "confirmations": {"folder": "/out", "file": "vcdc-{program}-{number}.txt"},
}
ANSWERS = Confirmations(folder="/out", file="x-{number}.txt")


def rules(**changes: Any) -> DemographicsShape:
    return DemographicsShape.model_validate(WHERE | changes)


def person(**changes: Any) -> dict[str, Any]:
    address = {
        "lines": ["1 Main St", "Floor 2"],
        "city": "Köln",
        "region": None,
        "postal_code": "50667",
        "country": "DE",
    }
    fields = {
        "candidate_id": "CSCO10000001",
        "given_name": "Zoë",
        "family_name": "Ångström",
        "email": "zoe@example.com",
        "country": "DE",
        "language": "de",
        "address": address,
    }
    return fields | changes


def told(who: dict[str, Any], by: DemographicsShape) -> list[str]:
    return [problem.reason("Pearson") for problem in line_of(who, by).problems]


def test_line_has_each_column_as_the_vendor_reads_it() -> None:
    line = line_of(person(), rules())
    assert line.problems == ()
    assert [line.values[name] for name in PERSON_COLUMNS[:11]] == [
        "CSCO10000001",
        "Zoë",
        "Ångström",
        "zoe@example.com",
        "1 Main St",
        "Floor 2",
        "",
        "Köln",
        "",
        "50667",
        "DEU",
    ]


def test_letters_outside_the_set_are_named_with_their_field() -> None:
    who = person(given_name="Łukasz", family_name="Wąsłowski")
    assert told(who, rules()) == [
        "Pearson cannot take “Ł” in your given name.",
        "Pearson cannot take “ą”, “ł” in your family name.",
    ]
    assert [problem.field for problem in line_of(who, rules()).problems] == ["given_name", "family_name"]


def test_each_set_of_letters_is_its_own() -> None:
    who = person(given_name="Œuvre", family_name="Żak", address=None)
    assert [p.letters for p in line_of(who, rules(letters="cp1252")).problems] == ["Ż"]
    assert [p.letters for p in line_of(who, rules(letters="latin1")).problems] == ["Œ", "Ż"]
    assert [p.letters for p in line_of(person(address=None), rules(letters="ascii")).problems] == ["ë", "Åö"]


def test_decomposed_letters_are_the_same_letters() -> None:
    assert line_of(person(given_name="Zoe\u0308"), rules()).values["FirstName"] == "Zoë"


def test_only_where_it_is_allowed_letters_are_written_otherwise() -> None:
    line = line_of(person(given_name="Łukasz", family_name="Ångström"), rules(transliterate=True))
    assert line.problems == ()
    assert (line.values["FirstName"], line.values["LastName"]) == ("Lukasz", "Ångström")


def test_lengths_are_the_definitions_before_the_usual_ones() -> None:
    who = person(given_name="A" * 31, family_name="B" * 31)
    assert [p.column for p in line_of(who, rules()).problems] == ["FirstName"]
    assert told(who, rules(lengths={"LastName": 30})) == [
        "Pearson takes 30 characters at most for your given name.",
        "Pearson takes 30 characters at most for your family name.",
    ]


def test_what_a_country_needs_is_asked_of_its_people_alone() -> None:
    strict = rules(required_by_country={"US": ["State", "PostalCode"]})
    assert told(person(), strict) == []
    address = {"lines": ["1 Main St"], "city": "Austin", "region": None, "postal_code": None, "country": "US"}
    assert told(person(address=address), strict) == [
        "Pearson needs your state or region.",
        "Pearson needs your postal code.",
    ]


def test_more_lines_of_an_address_than_columns_share_the_last() -> None:
    address = {"lines": ["a", "b", "c", "d", "e"], "city": "x", "country": "DE"}
    values = line_of(person(address=address), rules()).values
    assert [values[f"Address{n}"] for n in (1, 2, 3)] == ["a", "b", "c, d, e"]


def test_names_in_a_script_of_their_own_are_never_looked_at() -> None:
    who = person() | {"native_given_name": "孫", "native_family_name": "悟空"}
    assert line_of(who, rules()).values == line_of(person(), rules()).values


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)


@given(texts, texts, st.sampled_from(["cp1252", "latin1", "ascii", "utf-8"]), st.booleans())
def test_what_passes_the_rules_can_always_be_written(given_name: str, family: str, letters: str, other: bool) -> None:
    by = rules(letters=letters, transliterate=other, required=[])
    line = line_of(person(given_name=given_name, family_name=family, address=None), by)
    if line.problems:
        return
    written = table(by.columns, [line.values], letters).decode(letters).split("\r\n")
    assert len(written) == 3
    assert written[1].split("\t") == [line.values[column] for column in by.columns]


def test_definition_that_cannot_be_is_refused() -> None:
    wrong = (
        {"columns": ["ClientCandidateID", "Shoe"]},
        {"columns": ["FirstName"]},
        {"lengths": {"Shoe": 3}},
        {"required_by_country": {"US": ["Shoe"]}},
        {"file": "cdd.txt"},
        {"file": "cdd-{program}-{any}-{number}.txt"},
        {"file": "../{program}{number}"},
        {"letters": "ebcdic"},
    )
    for changes in wrong:
        with pytest.raises(ValidationError):
            rules(**changes)
    with pytest.raises(ValidationError):
        AuthorizationsShape.model_validate(WHERE | {"columns": ["ClientCandidateID"]})


def test_names_are_read_as_they_were_written() -> None:
    pattern = NamePattern("ead_{program}_{date}_{number}.txt")
    name = pattern.write(program="cisco", number=12, day=date(2026, 11, 22))
    assert name == "ead_cisco_20261122_000012.txt"
    assert pattern.read(name) == {"program": "cisco", "number": "000012"}
    assert pattern.read("ead_cisco_20261122_000012.txt.part") is None
    assert NamePattern("eac-{any}-{number}.dat").read("eac-whatever-3.dat") == {"number": "3"}


# --- Confirmations ---------------------------------------------------------------------------------------------------


COLUMNS = {"demographics": "ClientCandidateID", "authorizations": "ClientAuthorizationID"}


def answers(*lines: str, kind: Any = "demographics") -> list[Answer | Fault]:
    return read_confirmation("\r\n".join(lines).encode("cp1252"), COLUMNS[kind], ANSWERS, "cp1252")


def test_confirmation_names_records_as_accepted_warned_or_refused() -> None:
    said = answers(
        "Date\tMessage\tStatus\tClientCandidateID",
        "2026/11/22\t\tAccepted\tC1",
        "2026/11/22\tPostal code unknown\tACCEPTED\tC2",
        "2026/11/22\tNo such country\tError\tC3",
        "",
        "2026/11/22\tok\tAccepted\tC4",
        "2026/11/22\twhat\tMaybe\tC5",
        "2026/11/22\twhat\tError",
    )
    assert said == [
        Answer(2, "C1", accepted=True, text=""),
        Answer(3, "C2", accepted=True, text="Postal code unknown"),
        Answer(4, "C3", accepted=False, text="No such country"),
        Answer(6, "C4", accepted=True, text=""),
        Fault(7, "C5", "unknown_status"),
        Fault(8, None, "no_record"),
    ]


def test_damaged_zip_is_an_answer_that_cannot_be_read() -> None:
    whole = zipped("x.txt", b"ClientCandidateID\tStatus\r\n" + b"".join(b"C%d\tAccepted\r\n" % n for n in range(200)))
    for at in range(30, len(whole)):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        read_confirmation(damaged, "ClientCandidateID", ANSWERS, "cp1252")
    assert read_confirmation(whole[:60], "ClientCandidateID", ANSWERS, "cp1252") == [Fault(0, None, "unreadable")]


def test_confirmation_may_be_zipped() -> None:
    plain = b"ClientAuthorizationID\tStatus\r\nA1\tAccepted\r\n"
    assert read_confirmation(zipped("x.txt", plain), "ClientAuthorizationID", ANSWERS, "cp1252") == [
        Answer(2, "A1", accepted=True, text="")
    ]


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b"ClientCandidateID\tStatus\n"):
        for one in read_confirmation(start + content, "ClientCandidateID", ANSWERS, "cp1252"):
            assert one.line >= 0


def test_archive_is_the_same_bytes_each_time() -> None:
    assert zipped("a.txt", b"content") == zipped("a.txt", b"content")
