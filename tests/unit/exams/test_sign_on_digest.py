"""The digest of hand-overs: one set of fields, one text of bytes; and what vendors are told about it is so."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.signed_forms import (
    DIGEST,
    HAND_OVER,
    KEY_ID,
    RETURN,
    Unsigned,
    canonical,
    read_keys,
    signed,
    verify,
)
from tests.nodes import needs_node

GUIDE = Path("docs/vendors.md").read_text()
KEYS = read_keys("2026a an-example-key-of-thirty-two-chars\n")

fields = st.dictionaries(st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), st.text(max_size=8), max_size=6)
tricky = st.dictionaries(st.sampled_from(["a", "b", "ab"]), st.text("a1:,b", max_size=6), max_size=3)


@given(fields | tricky, fields | tricky)
def test_different_fields_have_different_bytes(one: dict[str, str], other: dict[str, str]) -> None:
    assert (canonical(HAND_OVER, one) == canonical(HAND_OVER, other)) == (one == other)


@given(fields)
def test_bytes_can_be_read_back(one: dict[str, str]) -> None:
    """The strongest form of the same: what is signed says what was meant."""
    what, *parts = list(_netstrings(canonical(HAND_OVER, one)))
    assert (what, dict(zip(parts[::2], parts[1::2], strict=True))) == (HAND_OVER, one)


def _netstrings(text: bytes) -> Any:
    while text:
        size, _, rest = text.partition(b":")
        content, comma, text = rest[: int(size)], rest[int(size) : int(size) + 1], rest[int(size) + 1 :]
        assert comma == b","
        yield content.decode()


@given(fields)
def test_signed_fields_verify(one: dict[str, str]) -> None:
    verify(HAND_OVER, signed(HAND_OVER, one, KEYS), KEYS)


@given(fields, st.data())
def test_any_change_is_seen(one: dict[str, str], data: st.DataObject) -> None:
    made = signed(HAND_OVER, one, KEYS)
    name = data.draw(st.sampled_from(sorted(made)))
    other = data.draw(st.text(max_size=8).filter(lambda text: text != made[name]))
    changed = [made | {name: other}, {key: value for key, value in made.items() if key != name}]
    for each in [*changed, made | {"added_by_another": ""}]:
        with pytest.raises(Unsigned):
            verify(HAND_OVER, each, KEYS)


def test_way_back_does_not_pass_for_the_way_there() -> None:
    with pytest.raises(Unsigned):
        verify(HAND_OVER, signed(RETURN, {"ticket": "t"}, KEYS), KEYS)


def test_keys_rotate_first_signs_all_verify() -> None:
    before, both, after = (
        read_keys(text) for text in ("a " + "x" * 32, f"b {'y' * 32}\na {'x' * 32}", "b " + "y" * 32)
    )
    old, new = signed(RETURN, {}, before), signed(RETURN, {}, both)
    assert (old[KEY_ID], new[KEY_ID]) == ("a", "b")
    verify(RETURN, old, both)
    verify(RETURN, new, after)
    with pytest.raises(Unsigned):
        verify(RETURN, old, after)


@pytest.mark.parametrize("text", ["", "a short", "a " + "x" * 31, "x" * 40, f"a {'x' * 32}\na {'y' * 32}"])
def test_what_is_no_set_of_keys_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="key") as told:
        read_keys(text)
    assert "xxx" not in str(told.value)


# --- What vendors are told --------------------------------------------------------------------------------------------


def _block(language: str, holds: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)
    (found,) = [block for block in blocks if holds in block]
    return str(found)


VECTOR = json.loads(_block("json", '"bytes":'))


def test_vector_in_the_guide_is_ours() -> None:
    keys = read_keys(f"{VECTOR['fields'][KEY_ID]} {VECTOR['key']}")
    verify(HAND_OVER, VECTOR["fields"], keys)
    named = {name: value for name, value in VECTOR["fields"].items() if name != DIGEST}
    assert canonical(HAND_OVER, named).decode() == VECTOR["bytes"]


def _python(given: dict[str, Any]) -> bool:
    scope: dict[str, Any] = {}
    exec(_block("python", "def is_signed"), scope)
    return bool(scope["is_signed"](given["fields"], {given["fields"].get(KEY_ID): given["key"]}, given["what"]))


def _node(given: dict[str, Any]) -> bool:
    script = _block("js", "function isSigned")
    script += "\nimport { readFileSync } from 'node:fs';\nconst it = JSON.parse(readFileSync(0, 'utf8'));"
    script += "\nconsole.log(isSigned(it.fields, { [it.fields.key_id]: it.key }, it.what));"
    run = ["node", "--input-type=module", "--eval", script]
    return subprocess.run(run, input=json.dumps(given), capture_output=True, text=True, check=True).stdout == "true\n"


@pytest.mark.parametrize("reads", [_python, pytest.param(_node, marks=needs_node)], ids=["python", "node"])
def test_vendors_code_of_the_guide_tells_signed_from_changed(reads: Any) -> None:
    right = {"what": HAND_OVER, "key": VECTOR["key"], "fields": VECTOR["fields"]}
    odd = signed(HAND_OVER, {"a": "Zoë \U0001f600,1:x", "b": ""}, KEYS)
    assert reads(right)
    assert reads({"what": HAND_OVER, "key": "an-example-key-of-thirty-two-chars", "fields": odd})
    for wrong in (
        {"what": RETURN},
        {"key": "another-key-of-thirty-two-characters"},
        {"fields": VECTOR["fields"] | {"candidate_id": "CSCO10000009"}},
        {"fields": {name: value for name, value in VECTOR["fields"].items() if name != DIGEST}},
    ):
        assert not reads(right | wrong)
