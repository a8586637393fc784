"""What we have issued, as a check asks for it: keys as we publish them, credentials as they stand now."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from libs.common.programs import Program
from services.certs.credentials.store import CredentialStore
from services.certs.public.addresses import Addresses
from services.certs.signing.did import did_document, public_jwk
from services.certs.signing.signer import Signer
from services.certs.store import CertsStore
from services.certs.verifying.checking import Standing
from services.certs.verifying.examining import Issuer
from services.certs.verifying.reading import Json, Signed


@dataclass(frozen=True, slots=True)
class ProgramIssuer:
    """A program, as what it publishes says."""

    program: str
    title: str
    zone: ZoneInfo
    did_document: Json
    jwks: dict[str, Json]


class OurRecords:
    """Reads keys and credentials."""

    def __init__(
        self,
        signer: Signer,
        ledgers: CertsStore,
        credentials: CredentialStore,
        programs: Mapping[str, Program],
        addresses: Addresses,
    ) -> None:
        self._signer = signer
        self._ledgers = ledgers
        self._credentials = credentials
        self._programs = programs
        self._addresses = addresses

    async def issuers(self) -> dict[str, Issuer]:
        """Our programs, by their DIDs."""
        found: dict[str, Issuer] = {}
        for program in self._programs.values():
            did, keys = self._addresses.issuer_did(program.id), await self._signer.public_keys(program.id)
            found[did] = ProgramIssuer(
                program.id,
                program.name,
                ZoneInfo(program.time_zone),
                did_document(did, keys),
                {key.address: public_jwk(key) for key in keys},
            )
        return found

    async def standing(self, issuer: Issuer, signed: Signed) -> Standing | None:
        """How a credential stands by our own records, which the published list follows within seconds.

        None unless it is ours and names its own place in a list of its issuer.
        """
        if signed.status is None:
            return None
        credential = await self._credentials.get(signed.id.removeprefix(self._addresses.credential("")))
        if credential is None or credential.program != issuer.program:
            return None
        place = (self._addresses.status_list(issuer.program, credential.status_list), str(credential.status_index))
        if (signed.status.status_list, signed.status.index) != place:
            return None
        if credential.state == "revoked":
            day = credential.revoked_at.astimezone(issuer.zone).date() if credential.revoked_at else None
            return Standing(revoked=True, revoked_on=day)
        row = await self._ledgers.certifications(credential.program, credential.candidate_id)
        held = row["certifications"] if row is not None else ()
        status = next((one["status"] for one in held if one["certification"] == credential.certification), None)
        return Standing(revoked=False, suspended=status == "suspended", corrected_at=credential.valid_from)
