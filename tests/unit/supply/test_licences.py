"""Licences are read as SPDX has them, and only those on the list pass."""

from email.message import Message

import pytest

from deploy.supply.licences import EXCEPTIONS, faults, is_allowed, licence_of, said
from deploy.supply.locked import IMAGES, Package, packages


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("MIT AND GPL-3.0-only OR ISC", True),
        ("MIT AND (GPL-3.0-only OR ISC)", True),
        ("(MIT OR ISC) AND GPL-3.0-only", False),
        ("MIT AND (ISC", False),
        ("MIT ISC", False),
        ("MIT OR", True),
        ("Proprietary, ask us", False),
        ("", False),
    ],
)
def test_expression_is_weighed_as_a_whole(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) == allowed


@pytest.mark.parametrize(
    ("headers", "licence"),
    [
        ({"License-Expression": "MIT", "License": "see below"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: BSD License", "License": "BSD"}, "BSD-3-Clause"),
        ({"License": "3-Clause BSD License"}, "BSD-3-Clause"),
        ({"License": "ISC"}, "ISC"),
        ({"License": "Redistribution and use\nare permitted"}, None),
        ({"Classifier": "License :: OSI Approved"}, None),
        ({}, None),
    ],
)
def test_metadata_say_a_licence_in_several_ways(headers: dict[str, str], licence: str | None) -> None:
    told = Message()
    for name, value in headers.items():
        told[name] = value.replace("\n", "\n ") if licence else value.replace("\n", "\r\n ")
    assert said(told) == licence


def test_package_off_the_list_or_without_a_licence_is_a_fault() -> None:
    # Both are there for tests alone, and under licences that no image of ours would have.
    assert faults([Package("asyncssh", "0", here=True)]) == []
    assert "asyncssh" in EXCEPTIONS
    assert not is_allowed(licence_of(Package("asyncssh", "0", here=True)) or "")
    assert len(faults([Package("no-such-package", "1", here=True), Package("pytest", "1", here=True)])) == 1
    assert faults([Package("no-such-package", "1", here=False)]) == []


@pytest.mark.parametrize("image", IMAGES)
def test_every_package_of_an_image_has_a_licence_of_the_list(image: str) -> None:
    locked = packages(*IMAGES[image])
    assert len(locked) > 30
    assert faults(locked) == []


def test_every_exception_is_still_needed() -> None:
    for name in EXCEPTIONS:
        assert not is_allowed(licence_of(Package(name, "0", here=True)) or "MIT"), name
