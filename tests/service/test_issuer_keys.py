"""Keys of issuers follow one another while several replicas sign, and what they signed goes on being proved."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from libs.common.errors import Unavailable
from libs.common.http.problems import Problem
from libs.common.http.scopes import KEYS_MANAGE, OPERATOR
from libs.common.programs import Program
from services.certs.public.addresses import Addresses
from services.certs.signing import keys as keys_module
from services.certs.signing.data_integrity import BadProof, Unsignable, verify
from services.certs.signing.did import LARGEST, did_document, written
from services.certs.signing.keys import REREAD, IssuerKeys
from services.certs.signing.multikey import read_multikey
from services.certs.signing.pairs import Pair, Sealing, new_pair
from services.certs.signing.schedule import CACHED, KEPT, LEAD
from services.certs.signing.signer import CHUNK, Signer, SigningPool, shared_pool
from services.certs.signing.store import IssuerKeyStore
from services.certs.signing.vc_jwt import header_of, verify_jwt
from services.certs.signing.work import Signed
from tests.service.certs_station import Callers, CertsStation
from tests.service.conftest import OpenBase
from tests.service.rig import CERTS_KEYS_SECRET, Base
from tests.unit.certs.credential_samples import DID, credential

LIFE = timedelta(days=365)
MINUTE = timedelta(minutes=1)
RSA = cycle([new_pair().rsa for _ in range(3)])
ADDRESSES = Addresses("https://certrail.example")


@pytest.fixture
async def base(base_of: OpenBase) -> AsyncIterator[Base]:
    async with base_of("certs") as base:
        yield base


@pytest.fixture(autouse=True)
def _quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of RSA take tenths of a second each, so that these come again; a pair differs by its key of Ed25519."""
    monkeypatch.setattr(
        keys_module, "new_pair", lambda: Pair(Ed25519PrivateKey.generate().private_bytes_raw(), next(RSA))
    )


class Replica:
    """What one process knows of the keys."""

    def __init__(self, base: Base, programs: dict[str, Program], *, secret: str | None = None) -> None:
        self.base = base
        self.keys = IssuerKeys(
            IssuerKeyStore(base.database),
            base.unit_of_work,
            Sealing(secret or CERTS_KEYS_SECRET.get_secret_value()),
            programs=programs,
            addresses=ADDRESSES,
            life=LIFE,
            clock=base.clock,
        )
        self.signer = Signer(self.keys, shared_pool(2), base.clock)

    async def did_document(self) -> dict[str, Any]:
        return did_document(DID, await self.keys.published("cisco"))

    async def states(self) -> dict[str, str]:
        return {each.times.kid: each.state for each in await self.keys.statuses("cisco")}


@pytest.fixture
def replica(base: Base, programs: dict[str, Program]) -> Replica:
    return Replica(base, programs)


def check(signed: Signed, document: dict[str, Any]) -> None:
    """As a verifier does that has only the DID document. Raises `LookupError` and `BadProof`."""
    credential = json.loads(signed.document)
    (proof,) = credential["proof"]
    method = proof["verificationMethod"]
    if method not in document["assertionMethod"]:
        raise LookupError(method)
    (key,) = (each for each in document["verificationMethod"] if each["id"] == method)
    assert key["controller"] == document["id"] == credential["issuer"]["id"]
    verify(credential, proof, read_multikey(key["publicKeyMultibase"]))


# --- One after another -----------------------------------------------------------------------------------------------


async def test_credentials_of_before_and_after_a_rotation_verify(replica: Replica) -> None:
    before = await replica.signer.sign("cisco", credential())
    await replica.keys.rotate("cisco")
    assert list((await replica.states()).values()) == ["active", "next"]
    replica.base.clock.advance(LEAD)
    after = await replica.signer.sign("cisco", credential())
    assert list(await replica.states()) == [before.kid, after.kid]
    assert list((await replica.states()).values()) == ["retired", "active"]
    replica.base.clock.advance(timedelta(days=3650))
    document = await replica.did_document()
    for signed in (before, after):
        check(signed, document)
        (key,) = (each for each in await replica.keys.published("cisco") if each.kid == signed.kid)
        assert header_of(signed.jwt)["kid"] == key.address == ADDRESSES.issuer_key("cisco", signed.kid)
        assert verify_jwt(signed.jwt, key.rsa) == credential()


async def test_several_signers_agree_and_verifiers_know_each_key_before_it_signs(
    base: Base, programs: dict[str, Program]
) -> None:
    """Replicas look at the keys at different moments; a verifier keeps a document for as long as it may."""
    replicas = [Replica(base, programs) for _ in range(3)]
    kept, kept_at = await replicas[0].did_document(), base.clock.now()
    everything: list[Signed] = []
    for step in range(60):
        if base.clock.now() - kept_at >= CACHED:
            kept, kept_at = await replicas[step % 3].did_document(), base.clock.now()
        signed = await asyncio.gather(*(each.signer.sign("cisco", credential()) for each in replicas[: 1 + step % 3]))
        assert len({each.kid for each in signed}) == 1
        for each in signed:
            check(each, kept)
        everything += signed
        if step in {5, 30}:
            await replicas[step % 3].keys.rotate("cisco")
        base.clock.advance(MINUTE)
    assert len({each.kid for each in everything}) == 3
    document = await replicas[2].did_document()
    for each in everything:
        check(each, document)


async def test_the_job_follows_up_old_keys_and_forgets_private_parts_that_sign_no_more(replica: Replica) -> None:
    await replica.keys.run()
    first = await replica.states()
    assert list(first.values()) == ["active"]
    replica.base.clock.advance(LIFE - LEAD)
    await replica.keys.run()
    await replica.keys.run()
    assert list((await replica.states()).values()) == ["active", "next"]
    replica.base.clock.advance(LEAD + KEPT - MINUTE)
    await replica.keys.run()
    assert [row["sealed"] is None for row in await rows(replica)] == [False, False]
    replica.base.clock.advance(MINUTE)
    await replica.keys.run()
    assert [row["sealed"] is None for row in await rows(replica)] == [True, False]
    assert list((await replica.states()).values()) == ["retired", "active"]
    assert len(await replica.keys.published("cisco")) == 2
    assert {row["program"] for row in await replica.base.rows("issuer_keys")} == set(replica.keys._programs)


async def rows(replica: Replica) -> list[dict[str, Any]]:
    return sorted(await replica.base.rows("issuer_keys", program="cisco"), key=lambda row: row["number"])


# --- At the same moment ----------------------------------------------------------------------------------------------


async def test_replicas_that_start_together_begin_with_one_key(base: Base, programs: dict[str, Program]) -> None:
    replicas = [Replica(base, programs) for _ in range(4)]
    signing = await asyncio.gather(*(each.keys.signing("cisco") for each in replicas))
    assert len({each.kid for each in signing}) == 1
    assert len(await base.rows("issuer_keys", program="cisco")) == 1


async def test_of_several_rotations_at_once_one_is_made(base: Base, programs: dict[str, Program]) -> None:
    replicas = [Replica(base, programs) for _ in range(4)]
    await replicas[0].keys.signing("cisco")
    done = await asyncio.gather(*(each.keys.rotate("cisco") for each in replicas), return_exceptions=True)
    assert [type(each) for each in done].count(Problem) == 3
    assert list((await replicas[0].states()).values()) == ["active", "next"]


async def test_rotations_and_leaks_at_once_leave_one_active_key(base: Base, programs: dict[str, Program]) -> None:
    replicas = [Replica(base, programs) for _ in range(6)]
    leaked = (await replicas[0].keys.signing("cisco")).kid
    await asyncio.gather(
        *(each.keys.compromise("cisco", leaked) for each in replicas[:3]),
        *(each.keys.rotate("cisco") for each in replicas[3:]),
        return_exceptions=True,
    )
    states = list((await replicas[0].states()).values())
    assert states.count("active") == 1
    assert states.count("compromised") == 1
    assert states.count("next") <= 1


# --- Leaks -----------------------------------------------------------------------------------------------------------


async def test_a_compromised_key_is_gone_at_once_and_what_it_signed_is_named(
    replica: Replica, base: Base, programs: dict[str, Program]
) -> None:
    other = Replica(base, programs)
    before = await other.signer.sign("cisco", credential())
    await replica.keys.compromise("cisco", before.kid)
    after = await replica.signer.sign("cisco", credential())
    assert after.kid != before.kid
    document = await replica.did_document()
    assert before.kid not in json.dumps(document)
    check(after, document)
    with pytest.raises(LookupError):
        check(before, document)
    assert await replica.keys.compromised() == {"cisco": [before.kid]}
    assert [row["sealed"] is None for row in await rows(replica)] == [True, False]
    base.clock.advance(REREAD)
    assert (await other.signer.sign("cisco", credential())).kid == after.kid
    assert await other.keys.compromised() == {"cisco": [before.kid]}
    marked = (await rows(replica))[0]["compromised_at"]
    await replica.keys.compromise("cisco", before.kid)
    assert (await rows(replica))[0]["compromised_at"] == marked
    assert list((await replica.states()).values()) == ["compromised", "active"]


async def test_the_key_that_was_to_follow_follows_a_leaked_one_at_once(replica: Replica) -> None:
    leaked = (await replica.keys.signing("cisco")).kid
    await replica.keys.rotate("cisco")
    _, coming = await replica.states()
    await replica.keys.compromise("cisco", leaked)
    assert await replica.states() == {leaked: "compromised", coming: "active"}


async def test_a_leaked_key_that_does_not_sign_leaves_the_others_as_they_are(replica: Replica) -> None:
    first = (await replica.keys.signing("cisco")).kid
    await replica.keys.rotate("cisco")
    _, second = await replica.states()
    replica.base.clock.advance(LEAD)
    await replica.keys.rotate("cisco")
    _, _, third = await replica.states()
    await replica.keys.compromise("cisco", first)
    await replica.keys.compromise("cisco", third)
    assert await replica.states() == {first: "compromised", second: "active", third: "compromised"}
    await replica.keys.rotate("cisco")


async def test_a_key_of_another_program_is_unknown(replica: Replica) -> None:
    other = (await replica.keys.signing("juniper")).kid
    with pytest.raises(Problem):
        await replica.keys.compromise("cisco", other)
    assert [each.state for each in await replica.keys.statuses("juniper")] == ["active"]


# --- Secrets ---------------------------------------------------------------------------------------------------------


async def test_private_parts_lie_encrypted_and_open_with_one_secret(
    replica: Replica, base: Base, programs: dict[str, Program]
) -> None:
    pair = (await replica.keys.signing("cisco")).pair
    stored = str(await base.rows("issuer_keys"))
    assert pair.ed25519.hex() not in stored
    assert not any(json.loads(pair.rsa)[part] in stored for part in ("d", "p", "q"))
    with pytest.raises(Unavailable, match="CERTRAIL_CERTS_KEYS_SECRET"):
        await Replica(base, programs, secret="w" * 32).keys.signing("cisco")
    assert "'d'" not in str([key.rsa.as_dict() for key in await replica.keys.published("cisco")])


# --- The processes that sign -----------------------------------------------------------------------------------------


async def test_many_are_signed_in_their_order_and_all_or_none(replica: Replica) -> None:
    documents = [credential(name=f"Number {number}") for number in range(2 * CHUNK + 3)]
    signed = await replica.signer.sign_many("cisco", documents)
    assert [json.loads(each.document)["name"] for each in signed] == [each["name"] for each in documents]
    with pytest.raises(Unsignable, match="colour"):
        await replica.signer.sign_many("cisco", [*documents, credential(colour="red")])
    assert await replica.signer.sign_many("cisco", []) == []


async def test_what_is_signed_is_text_that_stands_anywhere(replica: Replica) -> None:
    signed = await replica.signer.sign("cisco", credential(name="]]> <script> & 証明 🎓"))
    assert signed.document.isascii()
    assert not {b"<", b">", b"&"} & {signed.document[at : at + 1] for at in range(len(signed.document))}
    assert json.loads(signed.document)["name"] == "]]> <script> & 証明 🎓"
    check(signed, await replica.did_document())


def _priority() -> tuple[int, int]:
    return os.getpid(), os.nice(0)


def _die(marker: str) -> str:
    """Die the first time."""
    if not Path(marker).exists():
        Path(marker).touch()
        os._exit(9)
    return "done"


def _die_always() -> None:
    os._exit(9)


async def test_they_run_at_the_lowest_priority_and_one_that_dies_takes_nothing_with_it(tmp_path: Path) -> None:
    pool = SigningPool(1)
    try:
        pid, priority = await pool.run(_priority)
        assert pid != os.getpid()
        assert priority == 19
        assert await pool.run(_die, str(tmp_path / "died")) == "done"
        with pytest.raises(Unavailable):
            await pool.run(_die_always)
        assert (await pool.run(_priority))[1] == 19
    finally:
        pool.close()


ENDLESS = """
import asyncio, os, sys
from services.certs.signing.signer import SigningPool

async def main():
    pool = SigningPool(1)
    print(await pool.run(os.getpid), flush=True)
    await asyncio.sleep(600)

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_they_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "endless.py"
    program.write_text(ENDLESS)
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, program], stdout=subprocess.PIPE, cwd=root, env=os.environ | {"PYTHONPATH": str(root)}
    ) as process:
        assert process.stdout is not None
        signing = int(process.stdout.readline())
        process.kill()
    until = time.monotonic() + 30
    while _runs(signing):
        assert time.monotonic() < until, "it lives on"
        time.sleep(0.02)


def _runs(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


# --- HTTP ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def callers(base: Base, programs: dict[str, Program]) -> AsyncIterator[Callers]:
    async with CertsStation(base, programs).api() as callers:
        yield callers


async def got(callers: Callers, path: str, **headers: str) -> Any:
    return await callers._client.get(f"/api/certs/v1/public/issuers/{path}", headers=headers)


async def test_everybody_reads_public_keys_and_may_keep_them_for_a_while(callers: Callers, replica: Replica) -> None:
    kid = (await replica.keys.signing("cisco")).kid
    response = await got(callers, "cisco/did.json")
    assert response.status == 200
    assert response.content_type == "application/did+json"
    assert response.headers["Cache-Control"] == "public, max-age=300"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    document = await response.json(content_type=None)
    assert document == await replica.did_document()
    assert document["@context"][0] == "https://www.w3.org/ns/did/v1"
    assert document["assertionMethod"] == [f"{DID}#{kid}", f"{DID}#{kid}-rsa"]
    assert [method["controller"] for method in document["verificationMethod"]] == [DID, DID]
    again = await got(callers, "cisco/did.json", **{"If-None-Match": response.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    assert (await got(callers, "cisco/did.json", Accept="application/json")).content_type == "application/json"
    key = await (await got(callers, f"cisco/keys/{kid}")).json()
    assert await (await got(callers, "cisco/jwks.json")).json() == {"keys": [key]}
    assert key["kid"] == ADDRESSES.issuer_key("cisco", kid)
    assert key.keys() == {"kty", "n", "e", "kid", "alg", "use"}
    await replica.keys.rotate("cisco")
    replica.base.clock.advance(REREAD)
    other = await got(callers, "cisco/did.json", **{"If-None-Match": response.headers["ETag"]})
    assert other.status == 200
    assert len((await (await got(callers, "cisco/jwks.json")).json())["keys"]) == 2


async def test_what_there_is_not_is_not_found(callers: Callers, replica: Replica) -> None:
    kid = (await replica.keys.signing("juniper")).kid
    for path in ("nobody/did.json", "nobody/jwks.json", f"cisco/keys/{kid}", "cisco/keys/z6Mk", f"nobody/keys/{kid}"):
        assert (await got(callers, path)).status == 404
    assert await replica.base.rows("issuer_keys", program="nobody") == []


async def test_the_operator_looks_after_keys_and_nobody_else(callers: Callers) -> None:
    path = "/cisco/issuer-keys"
    _, page = await callers.staff("GET", path)
    (first,) = page["items"]
    assert first["state"] == "active"
    for scopes, program, status in ((OPERATOR - KEYS_MANAGE, "cisco", 403), (OPERATOR, "juniper", 404)):
        for method, below in (("GET", ""), ("POST", ""), ("DELETE", f"/{first['kid']}")):
            assert (await callers.staff(method, path + below, scopes=scopes, program=program))[0] == status
    status, page = await callers.staff("POST", path)
    assert status == 201
    assert [item["state"] for item in page["items"]] == ["active", "next"]
    assert (await callers.staff("POST", path))[0] == 409
    assert (await callers.staff("DELETE", f"{path}/{first['kid']}"))[0] == 204
    _, page = await callers.staff("GET", path)
    assert [item["state"] for item in page["items"]] == ["compromised", "active"]
    assert page["items"][0]["compromised_at"]
    assert (await callers.staff("DELETE", f"{path}/{'z6Mk' + 'x' * 44}"))[0] == 404


async def test_a_did_document_keeps_its_size_and_every_key_of_proofs(replica: Replica) -> None:
    """A widespread resolver takes 8 KiB."""
    for _ in range(12):
        await replica.keys.rotate("cisco")
        replica.base.clock.advance(LEAD)
    published = await replica.keys.published("cisco")
    document = did_document(DID, published)
    assert len(written(document)) <= LARGEST
    assert {f"{DID}#{key.kid}" for key in published} <= set(document["assertionMethod"])
    assert len(published) == 13
    tokens = [each["id"] for each in document["verificationMethod"] if each["type"] == "JsonWebKey"]
    newest = [f"{key.verification_method}-rsa" for key in published]
    assert tokens == newest[-len(tokens) :]
    assert tokens


async def test_a_proof_of_a_key_that_another_program_publishes_is_not_this_programs(replica: Replica) -> None:
    signed = await replica.signer.sign("juniper", credential())
    with pytest.raises((LookupError, BadProof)):
        check(signed, await replica.did_document())
