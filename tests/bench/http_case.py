"""What the HTTP references share: the cached check of a token, the query, the answer; and how they take part.

The answer is one document a candidate, read by its `_id`. A token (JWT, Ed25519) is verified once a minute at most;
until then its digest stands for it. Nothing else: no scopes, no problem details, no metrics, no log.
"""

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any, ClassVar, Literal

from joserfc import jwt
from joserfc.jwk import OKPKey
from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from tests.bench.holdings import ledger
from tests.bench.pipeline import Environment, HttpRequest, HttpTarget, Service
from tests.bench.population import PROGRAM
from tests.bench.reference import Database, databases, open_client

ALGORITHM = "Ed25519"
ISSUER = "bench"
SECONDS_TRUSTED = 60.0
TOKENS = 64
DATABASE = "bench_http"


class HttpReferenceSettings(BaseSettings):
    """The environment of an HTTP reference's process."""

    model_config = SettingsConfigDict(env_prefix="CERTRAIL_", frozen=True)

    mongo_url: str
    api_port: int = Field(ge=1, le=65_535)
    jwk: str
    """The public key that tokens are signed for, as JSON."""


class Reason(BaseModel):
    fact: str
    clause: str
    text: str


class Holding(BaseModel):
    earned_on: date
    expires_on: date | None


class Certification(BaseModel):
    certification: str
    title: str
    status: Literal["active", "expired"]
    earned_on: date
    expires_on: date | None
    text: str
    because: list[Reason]
    holdings: list[Holding]
    designations: list[str] = []


class Certifications(BaseModel):
    """The answer, field by field the product's."""

    candidate_id: str
    program: str
    as_of: date
    version: int
    certifications: list[Certification]


class RefusedError(Exception):
    """The token is missing, forged or over."""


class TokenCheck:
    """Verifies a bearer token, once a minute each."""

    def __init__(self, jwk: str) -> None:
        self._key = OKPKey.import_key(json.loads(jwk))
        self._rules = jwt.JWTClaimsRegistry(iss={"essential": True, "value": ISSUER}, sub={"essential": True})
        self._trusted: dict[bytes, tuple[float, str]] = {}

    def subject(self, header: str | None) -> str:
        """The candidate who asks. Raises `RefusedError`."""
        if header is None or not header.startswith("Bearer "):
            raise RefusedError
        token = header[7:].encode()
        digest = blake2b(token, digest_size=32).digest()
        trusted = self._trusted.get(digest)
        if trusted is not None and trusted[0] > time.monotonic():
            return trusted[1]
        return self._verify(token, digest)

    def _verify(self, token: bytes, digest: bytes) -> str:
        claims = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        self._rules.validate(claims)
        until = time.monotonic() + min(SECONDS_TRUSTED, claims["exp"] - time.time())
        subject: str = claims["sub"]
        self._trusted[digest] = (until, subject)
        return subject


def open_database(settings: HttpReferenceSettings) -> Database:
    return open_client(settings.mongo_url)[DATABASE]


async def read_certifications(database: Database, candidate_id: str) -> Certifications | None:
    """What the candidate holds and has held."""
    query = {"_id": candidate_id, "program": PROGRAM}
    row = await database["candidates"].find_one(query, {"program": 1, "certifications": 1, "version": 1})
    if row is None:
        return None
    today = datetime.now(UTC).date()
    return Certifications(
        candidate_id=candidate_id,
        program=row["program"],
        as_of=today,
        version=row["version"],
        certifications=[_certification(entry, today.isoformat()) for entry in row["certifications"]],
    )


def _certification(entry: dict[str, Any], today: str) -> Certification:
    expires_on = entry["expires_on"]
    status = "active" if expires_on is None or today <= expires_on else "expired"
    return Certification.model_validate({**entry, "status": status})


class HttpReference(HttpTarget):
    """A server of one module, `python -m MODULE`."""

    module: ClassVar[str]

    def __init__(self) -> None:
        self._key = OKPKey.generate_key("Ed25519")

    async def set_up(self, environment: Environment, candidates: int) -> None:
        await self.tear_down(environment)
        async with databases(environment) as client:
            await client[DATABASE]["candidates"].insert_many(
                ledger(_candidate_id(index)) for index in range(candidates)
            )

    def service(self, environment: Environment, port: int) -> Service:
        variables = {
            "CERTRAIL_MONGO_URL": environment.mongo.admin_url,
            "CERTRAIL_API_PORT": str(port),
            "CERTRAIL_JWK": json.dumps(self._key.as_dict(private=False)),
        }
        return Service(self.name, (sys.executable, "-m", self.module), variables)

    def requests(self, environment: Environment) -> Sequence[HttpRequest]:
        return [self._request(index) for index in range(TOKENS)]

    async def tear_down(self, environment: Environment) -> None:
        async with databases(environment) as client:
            await client.drop_database(DATABASE)

    def _request(self, index: int) -> HttpRequest:
        claims = {"iss": ISSUER, "sub": _candidate_id(index), "exp": int(time.time()) + 3600}
        token = jwt.encode({"alg": ALGORITHM}, claims, self._key, algorithms=[ALGORITHM])
        return HttpRequest("/certifications", {"Authorization": f"Bearer {token}"})


def _candidate_id(index: int) -> str:
    return f"candidate-{index:08d}"
