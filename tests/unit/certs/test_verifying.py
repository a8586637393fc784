"""Only what we signed and what still holds is called genuine."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import RSAKey

from libs.common.clock import FixedClock
from services.certs.signing.base58 import multibase
from services.certs.signing.canonical import Unsafe
from services.certs.signing.data_integrity import hashed, sign
from services.certs.signing.multikey import multikey
from services.certs.signing.vc_jwt import sign_jwt
from services.certs.signing.vocabulary import CLR, OB, OB_EXTENSIONS, VC
from services.certs.verifying.answers import FileVerificationView, file_verification_view
from services.certs.verifying.checking import Checker, Standing
from services.certs.verifying.examining import Issuer
from services.certs.verifying.findings import VERDICTS
from services.certs.verifying.limited import _TASKS, Limited
from services.certs.verifying.reading import Signed
from services.certs.verifying.resolving import assertion_key
from tests.unit.certs.credential_samples import DID, KEY, NOW, VECTORS, credential, vector

Json = dict[str, Any]

METHOD = f"{DID}#{multikey(KEY.public_key())}"
OTHER_DID = "did:web:certrail.example:issuers:juniper"
STRANGER = Ed25519PrivateKey.from_private_bytes(b"\x08" * 32)
RSA = RSAKey.generate_key(2048)
KID = "https://certrail.example/issuers/cisco/keys/z6Mk"
LATER = NOW + timedelta(days=1)


def did_document(did: str, key: Ed25519PrivateKey = KEY) -> Json:
    word = multikey(key.public_key())
    method = {"id": f"{did}#{word}", "type": "Multikey", "controller": did, "publicKeyMultibase": word}
    return {"id": did, "verificationMethod": [method], "assertionMethod": [method["id"]]}


class Program:
    """A program as an issuer."""

    def __init__(self, did: str = DID, program: str = "cisco", **document: Any) -> None:
        self.program, self.title, self.zone = program, program.capitalize(), ZoneInfo("America/Los_Angeles")
        self.did_document = did_document(did) | document
        self.jwks: dict[str, Json] = {KID: dict(RSA.as_dict(private=False))}


class Ours:
    """What we have issued: everything stands well unless a test says otherwise."""

    def __init__(self, standing: Standing | None = None, **document: Any) -> None:
        self.standing_now = standing or Standing(revoked=False)
        self.known = True
        self._issuers: dict[str, Issuer] = {DID: Program(**document), OTHER_DID: Program(OTHER_DID, "juniper")}

    async def issuers(self) -> dict[str, Issuer]:
        return self._issuers

    async def standing(self, issuer: Issuer, signed: Signed) -> Standing | None:
        ours = f"https://certrail.example/status/{issuer.program}/"
        listed = signed.status is not None and signed.status.status_list.startswith(ours)
        return self.standing_now if self.known and listed else None


class InProcess(Limited):
    """The same tasks, without a process of their own."""

    async def _run(self, task: str, given: bytes) -> bytes:
        answer: bytes = import_module(_TASKS[task]).answered(given)
        return answer


async def checked(file: str | Json, ours: Ours | None = None, now: datetime = LATER) -> FileVerificationView:
    content = (file if isinstance(file, str) else json.dumps(file)).encode()
    clock = FixedClock(now)
    return file_verification_view(await Checker(ours or Ours(), InProcess(), clock).check(content), clock.now())


def signed(document: Json, key: Ed25519PrivateKey = KEY, method: str = METHOD) -> Json:
    return sign(document, key, verification_method=method, created=NOW)


def signed_as_it_is(document: Json, **proof: Any) -> Json:
    """Signed with our key without a look at what it says: what we would never do, and a stolen key could."""
    config = signed(credential())["proof"][0] | proof
    del config["proofValue"]
    value = multibase(KEY.sign(hashed(document, config)))
    return document | {"proof": [config | {"proofValue": value}]}


def codes(answer: FileVerificationView) -> set[str]:
    return {each.code for each in answer.findings}


# --- What holds ------------------------------------------------------------------------------------------------------


async def test_credential_of_ours_is_genuine() -> None:
    answer = await checked(signed(credential()))
    assert (answer.verdict, answer.heading) == ("genuine", "Genuine and unchanged.")
    assert codes(answer) == {"kind_known", "issuer_ours", "intact", "in_force_until", "not_revoked"}
    assert (answer.form, answer.kind, answer.program) == ("json", "badge", "cisco")
    assert answer.credential is not None
    assert answer.credential.title == "Specialist"


async def test_days_are_those_of_the_programs_calendar() -> None:
    midnight = "2027-03-15T06:59:59Z"  # the last second of 14 March in Los Angeles
    document = signed(credential(validFrom="2027-03-01T09:30:00Z", validUntil=midnight))
    last = datetime(2027, 3, 15, 6, 59, 59, tzinfo=UTC)
    assert (await checked(document, now=last)).text.endswith("valid since 1 March 2027 and until 14 March 2027.")
    after = await checked(document, now=last + timedelta(seconds=1))
    assert (after.verdict, after.heading) == ("expired", "Genuine, but expired.")
    assert after.text.endswith("It expired on 14 March 2027.")


async def test_credential_without_an_end_never_expires() -> None:
    answer = await checked(signed(credential(validUntil=None)), now=NOW + timedelta(days=36_500))
    assert answer.verdict == "genuine"


async def test_name_is_told_only_where_it_is_in_the_credential() -> None:
    document = credential()
    assert "to " not in (await checked(signed(document))).text.partition(".")[0]
    name = {"type": "IdentityObject", "hashed": False, "identityType": "name", "identityHash": "Ann <b>Lee</b>"}
    document["credentialSubject"]["identifier"].append(name)
    answer = await checked(signed(document))
    assert answer.text.startswith("Cisco issued this to Ann <b>Lee</b>.")


async def test_token_of_ours_is_genuine() -> None:
    answer = await checked(sign_jwt(credential(), RSA, kid=KID))
    assert (answer.verdict, answer.form) == ("genuine", "jwt")


@pytest.mark.parametrize(
    ("standing", "verdict", "heading"),
    [
        (Standing(revoked=True, revoked_on=date(2027, 4, 2)), "revoked", "Not valid: revoked on 2 April 2027."),
        (Standing(revoked=True), "revoked", "Not valid: revoked."),
        (Standing(revoked=False, suspended=True), "suspended", "Not valid at present: suspended."),
        (Standing(revoked=False, corrected_at=LATER), "replaced", "Genuine, but we have corrected it since."),
        (Standing(revoked=False, corrected_at=NOW), "genuine", "Genuine and unchanged."),
    ],
)
async def test_what_became_of_it_since_is_told(standing: Standing, verdict: str, heading: str) -> None:
    answer = await checked(signed(credential()), Ours(standing))
    assert (answer.verdict, answer.heading) == (verdict, heading)


async def test_revoked_comes_before_expired() -> None:
    years = timedelta(days=4_000)
    answer = await checked(signed(credential()), Ours(Standing(revoked=True)), now=NOW + years)
    assert answer.verdict == "revoked"
    assert {"expired", "revoked"} <= codes(answer)


async def test_not_valid_yet_is_told() -> None:
    assert (await checked(signed(credential()), now=NOW - timedelta(seconds=1))).verdict == "not_yet"


# --- What does not ---------------------------------------------------------------------------------------------------


def forged_issuer() -> Json:
    did = "did:web:certrail.example.attacker.example:issuers:cisco"
    document = credential(issuer={**credential()["issuer"], "id": did})
    return signed(document, STRANGER, f"{did}#{multikey(STRANGER.public_key())}")


def own_key_in_fragment() -> Json:
    return signed(credential(), STRANGER, f"{DID}#{multikey(STRANGER.public_key())}")


def key_of_another_program() -> Json:
    return signed(credential(), KEY, f"{OTHER_DID}#{multikey(KEY.public_key())}")


def key_of_did_key() -> Json:
    word = multikey(STRANGER.public_key())
    return signed(credential(), STRANGER, f"did:key:{word}#{word}")


def two_proofs() -> Json:
    document = signed(credential())
    return document | {"proof": document["proof"] * 2}


def altered() -> Json:
    document = signed(credential())
    document["credentialSubject"]["achievement"]["name"] = "Expert"
    return document


def added() -> Json:
    return signed(credential()) | {"undefinedTerm": "anything"}


def list_of_another_program() -> Json:
    status = credential()["credentialStatus"]
    status |= {"id": "https://certrail.example/status/juniper/1#94567"}
    return signed(credential(credentialStatus=status | {"statusListCredential": status["id"].partition("#")[0]}))


def list_elsewhere() -> Json:
    status = credential()["credentialStatus"] | {"statusListCredential": "https://attacker.example/status/cisco/1"}
    return signed(credential(credentialStatus=status))


def token_with_its_own_key() -> str:
    key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": key.as_dict(private=False)}
    claims = json.loads(jws.extract_compact(sign_jwt(credential(), key, kid=KID).encode()).payload)
    return jws.serialize_compact(header, json.dumps(claims), key)


def token_under_our_name_for_its_key() -> str:
    return sign_jwt(credential(), RSAKey.generate_key(2048), kid=KID)


def token_without_a_signature() -> str:
    header, payload, _ = sign_jwt(credential(), RSA, kid=KID).split(".")
    return f"{header}.{payload}.{'A' * 342}"


def token_of_another_algorithm() -> str:
    key = RSAKey.import_key(RSA.as_dict(private=True))
    return jws.serialize_compact({"alg": "PS256", "kid": KID}, json.dumps(credential()), key, algorithms=["PS256"])


@pytest.mark.parametrize(
    ("make", "verdict", "code"),
    [
        (forged_issuer, "not_ours", "issuer_unknown"),
        (own_key_in_fragment, "not_ours", "key_unknown"),
        (key_of_another_program, "not_ours", "key_unknown"),
        (key_of_did_key, "not_ours", "key_unknown"),
        (two_proofs, "not_ours", "several_proofs"),
        (credential, "not_ours", "not_signed"),
        (lambda: signed(credential()) | {"proof": []}, "not_ours", "not_signed"),
        (lambda: signed(credential()) | {"proof": "none"}, "not_ours", "proof_unknown"),
        (lambda: signed(credential()) | {"type": ["VerifiableCredential"]}, "not_ours", "kind_unknown"),
        (altered, "altered", "altered"),
        (added, "altered", "form_wrong"),
        (list_of_another_program, "altered", "status_unknown"),
        (list_elsewhere, "altered", "status_unknown"),
        (lambda: signed(credential(credentialStatus=None)), "altered", "status_unknown"),
        (token_with_its_own_key, "not_ours", "key_unknown"),
        (token_under_our_name_for_its_key, "altered", "altered"),
        (token_without_a_signature, "altered", "altered"),
        (token_of_another_algorithm, "not_ours", "proof_unknown"),
    ],
)
async def test_what_is_not_as_we_signed_it_is_refused(make: Callable[[], str | Json], verdict: str, code: str) -> None:
    answer = await checked(make())
    assert (answer.verdict, code in codes(answer)) == (verdict, True)


@pytest.mark.parametrize("purpose", ["authentication", "keyAgreement", "capabilityDelegation"])
async def test_signature_for_another_purpose_is_refused(purpose: str) -> None:
    answer = await checked(signed_as_it_is(credential(), proofPurpose=purpose))
    assert (answer.verdict, "purpose_wrong" in codes(answer)) == ("not_ours", True)


@pytest.mark.parametrize(
    "document",
    [
        {"assertionMethod": []},
        {"assertionMethod": [f"{OTHER_DID}#key"], "authentication": [METHOD]},
        {"verificationMethod": []},
        {"verificationMethod": [did_document(DID)["verificationMethod"][0] | {"controller": OTHER_DID}]},
        {"verificationMethod": [did_document(DID)["verificationMethod"][0] | {"type": "JsonWebKey"}]},
        {"verificationMethod": did_document(DID)["verificationMethod"] * 2},
        {"id": OTHER_DID},
    ],
)
async def test_key_counts_only_as_the_did_document_publishes_it(document: Json) -> None:
    assert assertion_key(did_document(DID), DID, METHOD) is not None
    assert assertion_key(did_document(DID) | document, DID, METHOD) is None
    assert "key_unknown" in codes(await checked(signed(credential()), Ours(**document)))


async def test_nothing_is_repeated_that_we_have_not_signed() -> None:
    mark = "Call 0900 1234"
    document = credential(name=mark)
    document["credentialSubject"]["achievement"]["name"] = mark
    for file in (document, signed(credential()) | document, signed(document, STRANGER), {"issuer": mark, "type": mark}):
        assert mark not in (await checked(file)).model_dump_json()
    assert mark in (await checked(signed(document))).model_dump_json()


def renamed(document: Json) -> Json:
    """The same to a reader of JSON-LD: a term by its address."""
    term = "https://purl.imsglobal.org/spec/vc/ob/vocab.html#creditsEarned"
    subject = {name: part for name, part in document["credentialSubject"].items() if name != "creditsEarned"}
    value = {"@value": 12.5, "@type": "https://www.w3.org/2001/XMLSchema#float"}
    return document | {"credentialSubject": subject | {term: value}}


def with_keywords(document: Json) -> Json:
    return {name: part for name, part in document.items() if name != "id"} | {"@id": document["id"]}


@pytest.mark.parametrize("rewritten", [renamed, with_keywords])
async def test_what_means_the_same_but_reads_differently_is_refused(rewritten: Callable[[Json], Json]) -> None:
    document = rewritten(signed(credential()))
    assert codes(await checked(document)) >= {"form_wrong"}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [leaf for name, part in value.items() for leaf in leaves(part, (*path, name))]
    if isinstance(value, list):
        return [leaf for at, part in enumerate(value) for leaf in leaves(part, (*path, at))]
    return [path]


GENUINE = signed(credential())


@given(st.sampled_from(leaves(GENUINE)), st.text() | st.integers() | st.none() | st.just("2031-01-01T00:00:00Z"))
@settings(max_examples=120)
async def test_no_single_change_passes(path: tuple[Any, ...], value: Any) -> None:
    document = copy.deepcopy(GENUINE)
    part: Any = document
    for step in path[:-1]:
        part = part[step]
    if part[path[-1]] == value:
        return
    part[path[-1]] = value
    answer = await checked(document)
    assert VERDICTS.index(answer.verdict) >= VERDICTS.index("altered")
    assert answer.credential is None


# --- Transcripts -----------------------------------------------------------------------------------------------------


def transcript(*items: Json, **changes: Any) -> Json:
    one = credential()
    document = {
        "@context": [VC, CLR, OB, OB_EXTENSIONS],
        "id": "https://certrail.example/v/abc",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": "Transcript",
        "issuer": one["issuer"],
        "validFrom": one["validFrom"],
        "credentialSubject": {
            "id": one["credentialSubject"]["id"],
            "type": ["ClrSubject"],
            "verifiableCredential": list(items),
        },
    }
    return document | changes


async def test_transcript_is_checked_with_everything_in_it() -> None:
    short = credential(validUntil="2027-03-14T10:00:00Z")
    items = [signed(credential()), signed(credential()), signed(short)]
    answer = await checked(signed(transcript(*items)))
    assert (answer.verdict, answer.kind) == ("genuine", "transcript")
    assert [each.verdict for each in answer.items] == ["genuine", "genuine", "expired"]
    assert answer.text == "Cisco issued this. Two certifications are active, one has expired."
    assert "same_subject" in codes(answer)
    assert (await checked(signed(transcript(signed(short))))).verdict == "expired"
    assert (await checked(signed(transcript(items[0])), Ours(Standing(revoked=True)))).verdict == "revoked"


@pytest.mark.parametrize(("item", "verdict"), [(altered, "altered"), (own_key_in_fragment, "not_ours")])
async def test_transcript_is_no_better_than_the_worst_signature_in_it(item: Callable[[], Json], verdict: str) -> None:
    answer = await checked(signed(transcript(signed(credential()), item())))
    assert [each.verdict for each in answer.items] == ["genuine", verdict]
    assert answer.verdict == verdict


def receipt(key: RSAKey = RSA, **changes: Any) -> str:
    seen = {"heading": "Genuine and unchanged", "text": "Cisco issued this to Ann Lee.", "program": "cisco"}
    claims = {
        "iss": DID,
        "sub": "https://certrail.example/check/7K2M-9QXT-4HPW",
        "iat": int(NOW.timestamp()),
        "seen": seen,
    }
    header = {"alg": "RS256", "typ": "receipt+jwt", "kid": KID} | changes
    return jws.serialize_compact(header, json.dumps(claims), key)


async def test_receipt_says_what_was_shown_and_when() -> None:
    answer = await checked(receipt())
    assert (answer.verdict, answer.kind, answer.credential) == ("genuine", "receipt", None)
    assert answer.receipt is not None
    assert (answer.receipt.shown_at, answer.receipt.text) == (NOW, "Cisco issued this to Ann Lee.")
    assert answer.text.startswith("We showed this on 14 March 2027, 09:30 UTC: Genuine and unchanged.")


async def test_receipt_of_another_is_refused_and_passes_for_no_credential() -> None:
    assert (await checked(receipt(RSAKey.generate_key(2048)))).verdict == "altered"
    assert (await checked(receipt(kid="https://attacker.example/key"))).verdict == "not_ours"
    assert (await checked(receipt(typ="JWT"))).verdict == "not_ours"
    disguised = jws.serialize_compact({"alg": "RS256", "typ": "receipt+jwt", "kid": KID}, json.dumps(credential()), RSA)
    assert (await checked(disguised)).verdict == "not_ours"


async def test_transcript_about_two_people_is_refused() -> None:
    other = credential()
    other["credentialSubject"]["id"] = "urn:uuid:00000000-0000-4000-8000-000000000000"
    answer = await checked(signed(transcript(signed(credential()), signed(other))))
    assert (answer.verdict, "other_subject" in codes(answer)) == ("altered", True)


async def test_items_of_an_altered_transcript_are_not_told() -> None:
    document = signed(transcript(signed(credential())))
    document["credentialSubject"]["verifiableCredential"].append(signed(credential()))
    answer = await checked(document)
    assert (answer.verdict, answer.items) == ("altered", [])


# --- Vectors of others -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(path.stem for path in (VECTORS / "ob3").glob("*.json")))
async def test_1edtechs_samples_are_not_ours(name: str) -> None:
    answer = await checked(vector(f"ob3/{name}.json"))
    assert answer.verdict in {"not_ours", "unreadable"}
    assert answer.credential is None


BASE = vector("vc2/credential-ok.json")
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def with_fault_of(name: str) -> Json:
    """A genuine credential with what makes a hostile sample of W3C differ from its good one."""
    sample = vector(f"vc2/{name}.json")
    contexts = sample.get("@context")
    if isinstance(contexts, list) and "context" not in name:
        more = [each for each in contexts if each not in (VC, EXAMPLES)]
        sample["@context"] = BASE["@context"] if not more else [*credential()["@context"], *more]
    absent = object()
    changed = {field: part for field, part in sample.items() if BASE.get(field, absent) != part}
    missing = {field for field in BASE if field not in sample} | ({"issuer"} if "no-issuer" in name else set())
    return {field: part for field, part in (credential() | changed).items() if field not in missing}


@pytest.mark.parametrize("name", sorted(path.stem for path in (VECTORS / "vc2").glob("*fail*.json")))
async def test_w3cs_hostile_samples_are_refused_even_with_our_signature(name: str) -> None:
    document = with_fault_of(name)
    assert document != credential()
    try:
        document = signed_as_it_is(document)
    except Unsafe:
        document |= {"proof": GENUINE["proof"]}
    answer = await checked(document)
    assert VERDICTS.index(answer.verdict) >= VERDICTS.index("altered")
