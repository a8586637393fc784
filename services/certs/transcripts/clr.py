"""A transcript as a Comprehensive Learner Record (1EdTech CLR 2.0): the signed credentials of its items, whole.

Each credential in it stands alone: it has its own proof, its own status and its own end. The record's own proof says
that these were put together by the issuer, for this link, until its last day.
"""

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from libs.common.clock import Clock
from services.certs.credentials.credential import Credential
from services.certs.credentials.signatures import Credentials
from services.certs.credentials.store import CredentialStore
from services.certs.public.addresses import Addresses
from services.certs.signing.signer import Signer
from services.certs.signing.vocabulary import CLR, OB, OB_EXTENSIONS, VC
from services.certs.signing.work import Signed
from services.certs.store import CertsStore
from services.certs.transcripts.reading import Content
from services.certs.transcripts.shown import ShownCertification
from services.certs.transcripts.store import Transcript, TranscriptStore

Json = dict[str, Any]

MOST: Final = 30
"""Credentials in one record: each takes some 5 ms to sign. Of more the last earned are taken, and it says `partial`."""

SCHEMA: Final = "https://purl.imsglobal.org/spec/clr/v2p0/schema/json/clr_v2p0_clrcredential_schema.json"


class Records:
    """Makes signed records, and keeps the last one of each transcript for as long as it would say the same."""

    def __init__(
        self,
        certs: CertsStore,
        store: TranscriptStore,
        credentials: CredentialStore,
        signed: Credentials,
        *,
        signer: Signer,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self._certs = certs
        self._store = store
        self._credentials = credentials
        self._signed = signed
        self._signer = signer
        self._addresses = addresses
        self._clock = clock

    async def record(self, transcript: Transcript, content: Content, token: str) -> Signed | None:
        """The record of what the transcript shows now; None where no item has a credential."""
        accounts = await self._certs.accounts(transcript.program, content.account)
        every = await self._credentials.of_accounts(transcript.program, accounts)
        chosen = list(_of_items(content.shown.certifications, every, frozen=transcript.kind == "frozen"))
        if not chosen:
            return None
        taken = sorted(_of_one_subject(chosen), key=lambda one: one.earned_on, reverse=True)[:MOST]
        inner = [one.document for one in await asyncio.gather(*(self._signed.signed(one) for one in taken))]
        partial = {one.certification for one in every if one.state == "valid"} > {one.certification for one in taken}
        document = clr_document(
            self._addresses.transcript(token),
            content.program.name,
            [json.loads(one) for one in inner],
            valid_from=self._clock.now(),
            valid_until=transcript.ends_at,
            partial=partial,
        )
        return await self._once(transcript, document, _digest([*inner, transcript.ends_at.isoformat(), str(partial)]))

    async def _once(self, transcript: Transcript, document: Json, content: str) -> Signed:
        """The record that is kept, where it says this and its key still stands; otherwise it is signed."""
        kept = await self._store.signed(transcript.transcript_id)
        if kept is not None and kept["content"] == content:
            standing = {key.kid for key in await self._signer.public_keys(transcript.program)}
            if kept["kid"] in standing:
                return Signed(bytes(kept["document"]), kept["jwt"], kept["kid"])
        signed = await self._signer.sign(transcript.program, document)
        fields = {"content": content, "document": signed.document, "jwt": signed.jwt, "kid": signed.kid}
        await self._store.keep_signed(transcript, fields)
        return signed


def clr_document(
    address: str,
    program: str,
    credentials: Sequence[Json],
    *,
    valid_from: datetime,
    valid_until: datetime,
    partial: bool,
) -> Json:
    """A record without its proof.

    Args:
        address: of the transcript.
        program: the issuer's name.
        credentials: whole, with their proofs, of one issuer and one subject; at least one.
        valid_from: when this version was made.
        valid_until: the end of the link.
        partial: whether there are credentials that are not in it.
    """
    first = credentials[0]
    return {
        "@context": [VC, CLR, OB, OB_EXTENSIONS],
        "id": f"{address}/record",
        "type": ["VerifiableCredential", "ClrCredential"],
        "name": f"Transcript, {program}",
        "issuer": first["issuer"],
        "validFrom": _moment(valid_from),
        "validUntil": _moment(valid_until - timedelta(seconds=1)),
        "partial": partial,
        "credentialSubject": {
            "id": first["credentialSubject"]["id"],
            "type": ["ClrSubject"],
            "verifiableCredential": list(credentials),
        },
        "credentialSchema": [{"id": SCHEMA, "type": "1EdTechJsonSchemaValidator2019"}],
    }


def _of_items(
    items: Iterable[ShownCertification], credentials: Sequence[Credential], *, frozen: bool
) -> Iterable[Credential]:
    """The credential of each item that was not taken back: of a frozen one that of its day, otherwise the present."""
    for item in items:
        if item.state == "revoked":
            continue
        found = [
            one
            for one in credentials
            if one.certification == item.certification
            and one.state == "valid"
            and (not frozen or one.expires_on == item.expires_on)
        ]
        if found:
            yield max(found, key=lambda one: (one.expires_on or date.max, one.valid_from))


def _of_one_subject(chosen: Sequence[Credential]) -> list[Credential]:
    """Those about one `urn:uuid`, as a record is about one; accounts that were merged have one each. The most count."""
    subjects = Counter(one.subject for one in chosen)
    most = max(subjects, key=lambda subject: (subjects[subject], subject))
    return [one for one in chosen if one.subject == most]


def _digest(parts: Iterable[bytes | str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        plain = part if isinstance(part, bytes) else part.encode()
        digest.update(len(plain).to_bytes(8, "big") + plain)
    return digest.hexdigest()


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
