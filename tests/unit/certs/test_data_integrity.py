"""Proofs are the ones that W3C and 1EdTech publish, and nothing that some verifier would refuse is ever signed."""

import copy
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.certs.signing import canonical as canonicals
from services.certs.signing import contexts
from services.certs.signing.base58 import multibase, read_multibase
from services.certs.signing.canonical import Unsafe, canonical
from services.certs.signing.contexts import BUNDLED, Contexts, bundled
from services.certs.signing.data_integrity import BadProof, Unsignable, hashed, sign, verify
from services.certs.signing.multikey import multikey, read_multikey
from tests.unit.certs.credential_samples import DID, KEY, NOW, STANDARDS, VECTOR_CONTEXTS, credential, known, vector

METHOD = f"{DID}#{multikey(KEY.public_key())}"


def signed(document: dict[str, Any], key: Ed25519PrivateKey = KEY) -> dict[str, Any]:
    return sign(document, key, verification_method=METHOD, created=NOW)


# --- Vectors ---------------------------------------------------------------------------------------------------------


def test_the_vectors_are_the_published_ones() -> None:
    lines = (STANDARDS / "MANIFEST.sha256").read_text().splitlines()
    listed = {path: digest for digest, path in (line.split("  ") for line in lines)}
    there = {f"./{path.relative_to(STANDARDS)}" for path in STANDARDS.rglob("*") if path.is_file()}
    assert there - {"./SOURCES.md", "./schemas/SOURCES.md", "./MANIFEST.sha256"} == set(listed)
    assert all(hashlib.sha256((STANDARDS / path).read_bytes()).hexdigest() == listed[path] for path in listed)


@pytest.mark.parametrize("folder", ["", "employ/"])
def test_w3c_vectors_come_out_byte_for_byte(folder: str) -> None:
    def file(name: str) -> Any:
        return vector(f"di-eddsa/eddsa-rdfc-2022/{folder}{name}")

    pair = vector("di-eddsa/keyPair.json")
    key = Ed25519PrivateKey.from_private_bytes(read_multibase(pair["privateKeyMultibase"], longest=34)[2:])
    document = file("signedDataInt.json")
    proof = document.pop("proof")
    config = file("proofConfigDataInt.json")
    assert canonical(document, VECTOR_CONTEXTS).decode() == file("canonDocDataInt.txt")
    assert canonical(config, VECTOR_CONTEXTS).decode() == file("proofCanonDataInt.txt")
    assert hashed(document, config, VECTOR_CONTEXTS).hex() == file("combinedHashDataInt.txt")
    made = sign(
        document,
        key,
        verification_method=proof["verificationMethod"],
        created=datetime.fromisoformat(proof["created"]),
        contexts=VECTOR_CONTEXTS,
    )
    assert made == document | {"proof": [proof]}
    assert multikey(key.public_key()) == pair["publicKeyMultibase"]
    verify(made, proof, read_multikey(pair["publicKeyMultibase"]), contexts=VECTOR_CONTEXTS)


@pytest.mark.parametrize("kind", ["obv3p0", "clrv2p0"])
def test_1edtechs_worked_examples_come_out_byte_for_byte(kind: str) -> None:
    pair, document = vector(f"ob3-impl/{kind}/keypair.json"), vector(f"ob3-impl/{kind}/signed-credential.json")
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(pair["privateKeyHex"])[:32])
    proofs = document.pop("proof")
    (proof,) = proofs if isinstance(proofs, list) else [proofs]
    assert canonical(document).decode() == vector(f"ob3-impl/{kind}/document-canon.txt")
    config = {name: value for name, value in proof.items() if name != "proofValue"}
    quads = canonical(config | {"@context": document["@context"]}).decode()
    assert quads == vector(f"ob3-impl/{kind}/proof-canon.txt")
    assert multibase(key.sign(hashed(document, config))) == proof["proofValue"]


GOOD = (
    "ob3/complete.json",
    "ob3/endorsement-valid.json",
    "ob3/simple-context-alias.json",
    "ob3/simple-did-key-method.json",
    "ob3/simple-did-web-method.json",
    "ob3/simple.json",
    "clr2/simple.json",
)
BAD = {
    "ob3/simple-err-proof-value.json": "another document or key",
    "ob3/simple-err-context.json": "not defined",
    "ob3/simple-err-evidence-type.json": "not defined",
    "ob3/simple-err-credential-subject-type.json": "not defined",
    "ob3/simple-err-issuer-type.json": "relative",
    "ob3/simple-err-type.json": "relative",
}


def check_sample(path: str) -> None:
    document = vector(path)
    proofs = document["proof"] if isinstance(document["proof"], list) else [document["proof"]]
    (proof,) = (each for each in proofs if each["type"] == "DataIntegrityProof")
    method = proof["verificationMethod"]
    verify(document, proof, read_multikey(method.rpartition("#")[2].rpartition(":")[2]))


@pytest.mark.parametrize("path", GOOD)
def test_1edtechs_samples_verify(path: str) -> None:
    check_sample(path)


@pytest.mark.parametrize("path", BAD)
def test_1edtechs_broken_samples_do_not(path: str) -> None:
    with pytest.raises(BadProof, match=BAD[path]):
        check_sample(path)


# --- What is never signed --------------------------------------------------------------------------------------------


def put(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        part = document
        for name in path[:-1]:
            part = part[name][0] if isinstance(part[name], list) else part[name]
        part[path[-1]] = value

    return change


CREDENTIALS = "https://www.w3.org/2018/credentials#"
SUBJECT, ACHIEVEMENT = ("credentialSubject",), ("credentialSubject", "achievement")
TRAPS = {
    "an undefined term": (put("colour", value="red"), "colour"),
    "an undefined term far inside": (put(*ACHIEVEMENT, "criteria", "colour", value="red"), "colour"),
    "a relative type": (put(*SUBJECT, "type", value=["AchievementSubject", "Hero"]), "relative: Hero"),
    "a relative id": (put(*ACHIEVEMENT, "id", value="achievements/1"), "relative: achievements/1"),
    "an empty id": (put(*ACHIEVEMENT, "id", value=""), "relative"),
    "a fragment for an id": (put("credentialStatus", "id", value="#1"), "relative"),
    "a fraction of a second": (put("validFrom", value="2027-03-14T09:30:00.5Z"), "validFrom: .* whole seconds"),
    "no fraction, but its point": (put("validUntil", value="2027-03-14T09:30:00.000Z"), "whole seconds"),
    "another zone": (put("awardedDate", value="2027-03-14T09:30:00+01:00"), "whole seconds"),
    "a day for a moment": (put("awardedDate", value="2027-03-14"), "whole seconds"),
    "a schema without the extensions": (put("@context", value=[contexts.VC, contexts.OB]), "relative: 1EdTech"),
    "a context that is not bundled": (put("@context", value=[contexts.VC, "https://a.example/c"]), "not a bundled"),
    "a context of its own": (put("@context", value=[contexts.VC, {"colour": "https://a.example/c"}]), "not a bundled"),
    "a context inside": (put(*SUBJECT, "@context", value=[{"colour": "https://a.example/c"}]), "not a bundled"),
    "contexts that are no array": (put("@context", value=contexts.VC), "@context: must be an array"),
    "statuses": (put("credentialStatus", value=[{"type": "BitstringStatusListEntry"}]), "must be one object"),
    "one type of a class": (put(*ACHIEVEMENT, "type", value="Achievement"), "must be an array"),
    "one tag": (put(*ACHIEVEMENT, "tag", value="networks"), "tag: must be an array"),
    "one alignment": (put(*ACHIEVEMENT, "alignment", value={"type": ["Alignment"]}), "alignment: must be an array"),
    "one identifier": (put(*SUBJECT, "identifier", value={"type": "IdentityObject"}), "identifier: must be an array"),
    "one schema": (put("credentialSchema", value={"id": "https://a.example"}), "credentialSchema: must be an array"),
    "a text in languages": (put("name", value={"en": "Specialist"}), "not defined by the contexts: en"),
    "a text with a language": (put("name", value={"@value": "a", "@language": "en"}), "not a name"),
    "an id with a space": (put(*ACHIEVEMENT, "id", value="https://a.example/ b"), "not an address"),
    "an id that ends its line": (put(*ACHIEVEMENT, "id", value="urn:a\n"), "not an address"),
    "an id that ends itself": (put(*ACHIEVEMENT, "id", value="urn:a>"), "not an address"),
    "an id that is none": (put(*ACHIEVEMENT, "id", value="@none"), "not an address"),
    "a blank node": (put(*ACHIEVEMENT, "id", value="_:b0"), "not an address"),
    "a property by its address": (put(f"{CREDENTIALS}termsOfUse", value=[]), "not a name"),
    "a property of a blank node": (put("_:p", value="a"), "not a name"),
    "a keyword": (put(*SUBJECT, "@base", value="a"), "not a name"),
    "a type by its address": (put("type", value=["VerifiableCredential", f"{CREDENTIALS}Other"]), "not a name"),
    "a type that is a keyword": (put(*SUBJECT, "type", value=["AchievementSubject", "@id"]), "not a name"),
    "a type that is none": (put(*SUBJECT, "type", value=["AchievementSubject", 5]), "a type is a name"),
    "a null": (put("name", value=None), "null"),
    "a control character": (put("name", value="a\tb"), "control character"),
    "half a character": (put("name", value="a\ud800b"), "control character"),
    "a whole number with a fraction": (put(*SUBJECT, "creditsEarned", value=12.0), "differently"),
    "no number": (put(*SUBJECT, "creditsEarned", value=float("nan")), "differently"),
    "a number too large": (put(*SUBJECT, "creditsEarned", value=2**60), "round"),
    "a term of the newer form of 3.0.3": (put("endorsementJwt", value=["a.b.c"]), "endorsementJwt"),
    "the other term of it": (put("jti", value="1"), "jti"),
    "a proof": (put("proof", value=[]), "a proof already"),
}


class Untouched(Ed25519PrivateKey):
    """A key with which nothing may be signed."""

    def sign(self, data: Any) -> bytes:
        raise AssertionError("signed")

    def __getattr__(self, name: str) -> Any: ...

    private_bytes = private_bytes_raw = public_key = __copy__ = __deepcopy__ = __getattr__  # type: ignore[assignment]


@pytest.mark.parametrize("trap", TRAPS)
def test_traps_fail_before_a_signature_exists(trap: str) -> None:
    change, why = TRAPS[trap]
    document = credential()
    signed(document)
    change(document)
    with pytest.raises(Unsignable, match=why):
        signed(document, Untouched())


def test_a_proof_made_in_fractions_of_a_second_is_none() -> None:
    with pytest.raises(Unsignable, match="whole seconds"):
        sign(credential(), KEY, verification_method=METHOD, created=NOW + timedelta(milliseconds=1))


def test_the_moment_of_a_proof_is_written_in_utc() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=9)))
    made = sign(credential(), KEY, verification_method=METHOD, created=there)
    assert made["proof"][0]["created"] == "2027-03-14T09:30:00Z"


# --- What a proof covers ---------------------------------------------------------------------------------------------


def test_the_document_is_signed_as_it_is_and_left_alone() -> None:
    document = credential()
    made = signed(document)
    assert document == credential()
    proof = made.pop("proof")
    assert made == document
    assert [sorted(each) for each in proof] == [
        ["created", "cryptosuite", "proofPurpose", "proofValue", "type", "verificationMethod"]
    ]


@pytest.mark.parametrize("name", ["created", "verificationMethod"])
def test_the_proof_covers_itself(name: str) -> None:
    made = signed(credential())
    other = {"created": "2027-03-14T09:30:01Z", "verificationMethod": f"{DID}#other"}
    with pytest.raises(BadProof, match="another document"):
        verify(made, made["proof"][0] | {name: other[name]}, KEY.public_key())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"proofPurpose": "authentication"}, "proofPurpose"),
        ({"cryptosuite": "eddsa-jcs-2022"}, "cryptosuite"),
        ({"type": "Ed25519Signature2020"}, "type"),
        ({"proofValue": None}, "multibase"),
        ({"proofValue": "z"}, "another document"),
        ({"proofValue": "z0OIl"}, "base58"),
        ({"proofValue": "u" + "A" * 86}, "multibase"),
        ({"proofValue": "z" + "2" * 10_000}, "multibase"),
        ({"@context": [contexts.VC]}, "contexts of its own"),
        ({"colour": "red"}, "not defined"),
    ],
)
def test_other_proofs_are_refused(change: dict[str, Any], why: str) -> None:
    made = signed(credential())
    with pytest.raises(BadProof, match=why):
        verify(made, made["proof"][0] | change, KEY.public_key())


@pytest.mark.parametrize(
    "trap",
    ["an undefined term", "a relative type", "a context of its own", "a context inside", "a null", "a tab"],
)
def test_what_no_signature_can_cover_is_refused_when_verified(trap: str) -> None:
    """It could have been added by anybody."""
    made = signed(credential())
    change = put("name", value="a\tb") if trap == "a tab" else TRAPS[trap][0]
    change(made)
    with pytest.raises(BadProof):
        verify(made, made["proof"][0], KEY.public_key())


def test_another_key_does_not_verify() -> None:
    made = signed(credential())
    with pytest.raises(BadProof, match="another document or key"):
        verify(made, made["proof"][0], Ed25519PrivateKey.generate().public_key())


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)


@settings(max_examples=60)
@given(name=TEXTS, narrative=TEXTS, earned=st.floats(0.25, 500).filter(lambda one: not one.is_integer()))
def test_whatever_is_signed_verifies_also_after_it_was_written_and_read(
    name: str, narrative: str, earned: float
) -> None:
    document = credential(name=name)
    document["credentialSubject"] |= {"narrative": narrative, "creditsEarned": earned}
    made = json.loads(json.dumps(signed(document)))
    shuffled = dict(sorted(made.items(), reverse=True))
    verify(shuffled, made["proof"][0], KEY.public_key())


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in leaves(part, (*path, name))]
    if isinstance(value, list):
        return [leaf for at, part in enumerate(value) for leaf in leaves(part, (*path, at))]
    return [path]


@settings(max_examples=150)
@given(data=st.data())
def test_no_part_can_be_changed_or_taken_out(data: st.DataObject) -> None:
    made = signed(credential())
    proof = made.pop("proof")[0]
    *way, last = data.draw(st.sampled_from(leaves(made)))
    changed = copy.deepcopy(made)
    part: Any = changed
    for step in way:
        part = part[step]
    if data.draw(st.booleans()):
        del part[last]
    else:
        old = part[last]
        part[last] = f"{old}x" if isinstance(old, str) else (not old if isinstance(old, bool) else old + 1)
    with pytest.raises(BadProof):
        verify(changed, proof, KEY.public_key())


@pytest.mark.parametrize("name", ["credentialStatus", "issuer", "evidence"])
def test_no_part_can_be_hidden_under_its_address(name: str) -> None:
    """The quads would be the same, and who reads the JSON would not find its status."""
    evidence = [{"id": "https://a.example/e", "type": ["Evidence"], "name": "Sat"}]
    made = signed(credential(evidence=evidence))
    made[f"{CREDENTIALS}{name}"] = made.pop(name)
    with pytest.raises(BadProof, match="not a name"):
        verify(made, made["proof"][0], KEY.public_key())


def test_no_type_can_be_hidden_under_its_address() -> None:
    made = signed(credential())
    status = made["credentialStatus"]
    status["type"] = "https://www.w3.org/ns/credentials/status#BitstringStatusListEntry"
    with pytest.raises(BadProof, match="not a name"):
        verify(made, made["proof"][0], KEY.public_key())


def objects(value: Any) -> list[dict[str, Any]]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return ([value] if isinstance(value, dict) else []) + [one for part in parts for one in objects(part)]


KEYWORDS = ("@id", "@type", "@value", "@list", "@set", "@graph", "@reverse", "@included", "@nest", "@language", "@json")
MORE_KEYWORDS = ("@direction", "@index", "@none", "@version", "@vocab", "@base", "@import", "@container", "@odd")
NAMES = st.sampled_from(
    [
        *KEYWORDS,
        *MORE_KEYWORDS,
        "id",
        "type",
        "name",
        "evidence",
        "issuer",
        "verifiableCredential",
        "_:p",
        "a:b",
        "",
        "x",
    ]
)
PLAIN = st.one_of(
    st.integers(),
    st.booleans(),
    st.floats(),
    st.none(),
    TEXTS,
    st.sampled_from(["@id", "_:b0", "urn:a", "did:web:x#\n"]),
)
ODD = st.recursive(
    PLAIN, lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
)


@settings(max_examples=150)
@given(data=st.data())
def test_whatever_a_stranger_adds_is_refused(data: st.DataObject) -> None:
    made = signed(credential())
    proof = made.pop("proof")[0]
    changed = copy.deepcopy(made)
    where = data.draw(st.sampled_from(objects(changed)))
    where[data.draw(NAMES)] = data.draw(ODD)
    with pytest.raises(BadProof):
        verify(changed, proof, KEY.public_key())


# --- Contexts --------------------------------------------------------------------------------------------------------


def test_no_context_is_fetched() -> None:
    with pytest.raises(KeyError):
        BUNDLED.load("https://www.w3.org/2018/credentials/v1", {})
    with pytest.raises(Unsafe, match="not a bundled context"):
        canonical({"@context": "https://www.w3.org/2018/credentials/v1", "id": "urn:a"})


def test_a_context_that_another_loader_of_the_process_knows_is_not_known() -> None:
    document = vector("di-eddsa/eddsa-rdfc-2022/signedDataInt.json")
    assert canonical(document, VECTOR_CONTEXTS)
    with pytest.raises(Unsafe, match="not a bundled context"):
        canonical(document)


def test_a_context_that_has_changed_stops_the_start(tmp_path: Path) -> None:
    name, digest = contexts._FILES[contexts.OB]
    content = (contexts._FOLDER / name).read_bytes()
    (tmp_path / name).write_bytes(content)
    assert contexts.OB in bundled({contexts.OB: (name, digest)}, tmp_path)
    (tmp_path / name).write_bytes(content + b" ")
    with pytest.raises(ValueError, match="not the context that was bundled"):
        bundled({contexts.OB: (name, digest)}, tmp_path)


def test_what_another_loader_of_the_process_calls_by_the_same_address_is_not_ours() -> None:
    document = {"@context": [contexts.VC], "id": "urn:a", "name": "b"}
    ours = canonical(document)
    other = Contexts({contexts.VC: {"@context": {"id": "@id", "name": "https://a.example/other"}}})
    assert canonical(document, other) == b'<urn:a> <https://a.example/other> "b" .\n'
    assert canonical(document, known()) == ours


def test_what_is_kept_of_contexts_changes_nothing_and_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has read many documents says the same as one that reads its first."""
    monkeypatch.setattr(canonicals, "_MOST_PROCESSED", 7)
    kept = known()
    documents = [credential(), *map(vector, GOOD), credential(type=["VerifiableCredential"])] * 2
    for document in documents:
        assert canonical(document, kept) == canonical(document, known())
        assert len(kept.processed) <= 7


@pytest.mark.parametrize("none", [[], [[]], {}])
def test_a_context_of_nothing_says_nothing_or_is_refused(none: Any) -> None:
    document = credential()
    document["credentialSubject"]["@context"] = none
    if none == []:
        assert canonical(document) == canonical(credential())
    else:
        with pytest.raises(Unsafe):
            canonical(document)


def test_a_document_without_bottom_is_refused() -> None:
    document: dict[str, Any] = {"id": "urn:a"}
    for _ in range(5_000):
        document = {"credentialSubject": document}
    made = signed(credential())
    with pytest.raises(BadProof, match="deep"):
        verify(made | {"credentialSubject": document}, made["proof"][0], KEY.public_key())


# --- Base58 ----------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=64))
def test_bytes_come_back(content: bytes) -> None:
    assert read_multibase(multibase(content), longest=64) == content


@pytest.mark.parametrize(
    "text", ["", "x6Mk", "z6Mk", "z0", multibase(b"\xec\x01" + b"k" * 32), "z" + "1" * 60, multibase(b"k" * 32)]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_multikey(text)
