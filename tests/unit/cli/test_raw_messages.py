"""Hand-made messages carry exactly the bytes their file says."""

from typing import Any

import pytest

from deploy.cli.raw_messages import body_of


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ({"body": "Zoë"}, "Zoë".encode()),
        ({"body_base64": "/wA="}, b"\xff\x00"),
        ({"body_repeat": {"text": "ab", "times": 3}}, b"ababab"),
        ({"body": ""}, b""),
    ],
)
def test_a_body_is_given_as_text_in_base64_or_repeated(message: dict[str, Any], body: bytes) -> None:
    assert body_of(message) == body
