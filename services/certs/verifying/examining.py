"""What can be said of a document before its signature is checked, and with which key that is to be done."""

from dataclasses import dataclass
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from services.certs.verifying.findings import Finding, finding, known_kind
from services.certs.verifying.reading import Json, Kind, Receipt, Signed, issuer_of, kind_of, read_receipt, read_signed
from services.certs.verifying.resolving import assertion_key

_SUITE = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022"}
_ALGORITHM = "RS256"
RECEIPT: Final = "receipt+jwt"
"""Type of a token that is a receipt (RFC 8725, 3.11): neither it nor a credential passes for the other."""

_KEYS_OF_ITS_OWN = frozenset({"jwk", "jku", "x5c", "x5u"})
"""By which the header of a token (RFC 7515, 4.1) may bring a key along, which nobody should believe."""


class Issuer(Protocol):
    """One of our programs, as it signs."""

    @property
    def program(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def zone(self) -> ZoneInfo: ...

    @property
    def did_document(self) -> Json: ...

    @property
    def jwks(self) -> dict[str, Json]:
        """Public keys of tokens, by the addresses that name them."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A document, as far as it goes without its signature.

    Attributes:
        claim: what is to be proved, see `Limited.prove`; None where that would change nothing.
    """

    findings: tuple[Finding, ...]
    kind: Kind | None = None
    issuer: Issuer | None = None
    signed: Signed | None = None
    receipt: Receipt | None = None
    claim: dict[str, Any] | None = None


def examine(
    document: Json, issuers: dict[str, Issuer], *, token: str | None = None, header: Json | None = None
) -> Examined:
    """Look at a document.

    Args:
        document: what was found.
        issuers: our programs, by their identifiers.
        token: where the document came as one.
        header: of the token.
    """
    is_receipt = header is not None and header.get("typ") == RECEIPT
    kind: Kind | None = "receipt" if is_receipt else kind_of(document)
    name = document.get("iss") if is_receipt else issuer_of(document)
    kinds = known_kind(kind) if kind else finding("kind_unknown")
    issuer = issuers.get(name) if isinstance(name, str) else None
    if issuer is None or not isinstance(name, str):
        return Examined((kinds, finding("issuer_unknown")))
    findings = (kinds, finding("issuer_ours", program=issuer.title))
    if kind is None:
        return Examined(findings)
    key = _token_key(header or {}, issuer) if token is not None else _proof_key(document, issuer, name)
    if isinstance(key, Finding):
        return Examined((*findings, key), kind, issuer)
    signed = None if is_receipt else read_signed(document, token=token is not None)
    receipt = read_receipt(document) if is_receipt else None
    if signed is None and receipt is None:
        return Examined((*findings, finding("form_wrong")), kind, issuer)
    claim = key | ({"token": token, "receipt": is_receipt} if token is not None else {})
    return Examined(findings, kind, issuer, signed, receipt, claim)


def _proof_key(document: Json, issuer: Issuer, name: str) -> Json | Finding:
    proofs = document.get("proof")
    proofs = proofs if isinstance(proofs, list) else [proofs]
    if proofs in ([], [None]):
        return finding("not_signed")
    if len(proofs) > 1:
        return finding("several_proofs")
    proof = proofs[0]
    if not isinstance(proof, dict) or any(proof.get(field) != value for field, value in _SUITE.items()):
        return finding("proof_unknown")
    if proof.get("proofPurpose") != "assertionMethod":
        return finding("purpose_wrong")
    key = assertion_key(issuer.did_document, name, proof.get("verificationMethod"))
    if key is None:
        return finding("key_unknown")
    return {"document": document, "proof": proof, "key": key.public_bytes_raw().hex()}


def _token_key(header: Json, issuer: Issuer) -> Json | Finding:
    if header.get("alg") != _ALGORITHM or "crit" in header:
        return finding("proof_unknown")
    kid = header.get("kid")
    key = issuer.jwks.get(kid) if isinstance(kid, str) else None
    if key is None or _KEYS_OF_ITS_OWN & header.keys():
        return finding("key_unknown")
    return {"key": key}
