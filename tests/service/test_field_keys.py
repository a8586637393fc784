"""Keys of fields change while people sign in and upload; nothing is left under an old one, and nothing lies plain."""

import asyncio
import base64
from pathlib import Path

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from prometheus_client import REGISTRY

from libs.common.casework.evidence import EvidenceStore
from libs.common.field_keys import FieldKeys
from libs.common.http.evidence import EvidenceUpload
from libs.common.mongo.resealing import Resealing
from libs.common.mongo.unit_of_work import Transaction
from services.identity.login.second_factor_store import SEALED, SecondFactorStore
from tests.service.conftest import OpenBase
from tests.service.rig import ERASURE_KEY, Base

PLACES = (*SEALED, "case_evidence.content")
SCAN = b"%PDF-1.7 the scan of a passport"
PEOPLE = 30


def secret_of(number: int) -> bytes:
    return f"secret of person {number:04}".encode()


async def raw(base: Base) -> bytes:
    """Every byte of the collections, as the database has it."""
    options: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
    content = b""
    for name in {place.partition(".")[0] for place in PLACES}:
        rows = base.database.get_collection(name, codec_options=options)
        content += b"".join([row.raw async for row in rows.find()])
    return content


async def enrol(base: Base, store: SecondFactorStore, number: int) -> None:
    holder, secret = f"C{number}", secret_of(number)
    await store.begin(holder, secret)

    async def work(transaction: Transaction) -> bool:
        now = transaction.now
        return await store.confirm(transaction.session, holder, pending=secret, step=0, recovery=[], now=now)

    assert await base.unit_of_work.run(work)


async def upload(base: Base, files: EvidenceStore, number: int) -> str:
    case = {"_id": f"case{number}", "candidate_id": f"C{number}", "evidence": []}

    async def work(transaction: Transaction) -> str:
        about, _ = await files.attach(
            transaction.session, case, EvidenceUpload("application/pdf", SCAN), transaction.now
        )
        return str(about["evidence_id"])

    return await base.unit_of_work.run(work)


async def test_keys_change_under_load_and_the_old_one_can_go(base_of: OpenBase, tmp_path: Path) -> None:
    async with base_of("identity") as base:
        keys = FieldKeys(ERASURE_KEY, tmp_path)
        store, files = SecondFactorStore(base.database, keys), EvidenceStore(base.database, "case_evidence", keys)
        resealing = Resealing(base.database, keys, PLACES, base.clock)
        await resealing.run()  # which makes its indexes
        # What an earlier version has left: plain.
        plain = {"secret": secret_of(0), "step": 0, "recovery": []}
        await base.database["second_factors"].insert_one({"_id": "C0", **plain})
        assert secret_of(0) in await raw(base)

        async def sign_in(number: int) -> None:
            row = await store.find(f"C{number}")
            assert row is not None
            assert await store.use_step(f"C{number}", row["secret"], row["step"] + 1)

        evidence: dict[int, str] = {}
        for name in ("2026-01", "2026-07", "2027-01"):
            (tmp_path / name).write_text(name * 6)
            known = len(evidence)
            rounds = [asyncio.create_task(resealing.run()) for _ in range(2)]  # a replica is at it, too
            for number in range(known + 1, known + PEOPLE // 3 + 1):
                _, evidence[number], *_ = await asyncio.gather(
                    enrol(base, store, number), upload(base, files, number), *(sign_in(one) for one in range(known + 1))
                )
            await asyncio.gather(*rounds)
        stopped = asyncio.create_task(resealing.run())
        await asyncio.sleep(0)
        stopped.cancel()
        await asyncio.gather(stopped, return_exceptions=True)
        await resealing.run()
        assert all(REGISTRY.get_sample_value("certrail_fields_to_reseal", {"field": place}) == 0 for place in PLACES)

        for old in ("2026-01", "2026-07"):
            (tmp_path / old).unlink()
        for number in range(PEOPLE + 1):
            row = await store.find(f"C{number}")
            assert row is not None
            assert row["secret"] == secret_of(number)
        for number, key in evidence.items():
            file = await files.file(f"case{number}", key)
            assert file is not None
            assert file.content == SCAN
        lying = await raw(base)
        assert lying.count(b"2027-01\x00") == 2 * PEOPLE + 1
        for told in (b"2026-", SCAN, base64.b64encode(SCAN)[:24], b"secret of person", base64.b64encode(b"secret of")):
            assert told not in lying


async def test_secret_that_is_replaced_meanwhile_is_never_put_back(base_of: OpenBase, tmp_path: Path) -> None:
    """A job that wrote what it has read would undo an enrolment."""
    async with base_of("identity") as base:
        keys = FieldKeys(ERASURE_KEY, tmp_path)
        store = SecondFactorStore(base.database, keys)
        await store.begin("C1", b"the first")
        (tmp_path / "2027-01").write_text("k" * 32)

        class Slow(FieldKeys):
            def open(self, place: str, value: object) -> bytes:
                plain = super().open(place, value)
                asyncio.run_coroutine_threadsafe(store.begin("C1", b"the second"), loop).result()
                return plain

        loop = asyncio.get_running_loop()
        await Resealing(base.database, Slow(ERASURE_KEY, tmp_path), SEALED, base.clock).run()
        row = await store.find("C1")
        assert row is not None
        assert row["pending"] == b"the second"


async def test_replicas_that_change_keys_together_seal_a_value_once(base_of: OpenBase, tmp_path: Path) -> None:
    """Who uses a secret meanwhile tries twice: two changes of it in one round could refuse a sign-in."""
    async with base_of("identity") as base:
        keys = FieldKeys(ERASURE_KEY, tmp_path)
        store = SecondFactorStore(base.database, keys)
        for number in (1, 2):
            await store.begin(f"C{number}", secret_of(number))
        (tmp_path / "2027-01").write_text("k" * 32)
        first = Resealing(base.database, keys, SEALED, base.clock)
        after_first: list[bytes] = []

        class Overtaken(FieldKeys):
            """The other replica does everything while this one is at its first value."""

            def open(self, place: str, value: object) -> bytes:
                if not after_first:
                    asyncio.run_coroutine_threadsafe(first.run(), loop).result()
                    after_first.append(asyncio.run_coroutine_threadsafe(raw(base), loop).result())
                return super().open(place, value)

        loop = asyncio.get_running_loop()
        await Resealing(base.database, Overtaken(ERASURE_KEY, tmp_path), SEALED, base.clock).run()
        assert [await raw(base)] == after_first


async def test_nothing_lies_plain_for_a_moment(base_of: OpenBase) -> None:
    async with base_of("identity") as base:
        keys = FieldKeys(ERASURE_KEY)
        store, files = SecondFactorStore(base.database, keys), EvidenceStore(base.database, "case_evidence", keys)
        await store.begin("C2", secret_of(2))
        await enrol(base, store, 1)
        await upload(base, files, 1)
        lying = await raw(base)
        assert lying.count(b"sealed\x00") == 3
        for told in (SCAN, base64.b64encode(SCAN)[:24], b"secret of person"):
            assert told not in lying
