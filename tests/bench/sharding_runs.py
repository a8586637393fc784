"""Shard keys tried on the main job: which key would send most operations of each collection to the shards concerned.

No router is needed for that. The database writes down every operation of a run (its profiler), and an operation goes to
the shards of its values where its filter has the key by equality or `$in`, else to every shard. Unique indexes that a
key would make impossible, because they do not begin with it, are found by the same comparison.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.mongo.users import database_name
from libs.common.events import SERVICES
from libs.common.mongo.client import Client
from tests.bench.growth_runs import Everybody, main_job, until_recorded
from tests.bench.processes import running
from tests.bench.product import prepare
from tests.bench.reference import databases
from tests.bench.report import table
from tests.bench.runs import until_ready
from tests.bench.servers import Bench

CANDIDATES = 2_000
SHARDS = 4
"""Into which values are dealt, to see how even a key is."""
LEAST = 10
"""Collections with fewer operations are left out: the main job does not live on them."""
NOT_SHARDED = frozenset({"jobs", "schema_version", "status_lists", "status_bits"})
"""A few documents of the service or of a program."""
_PROFILE_BYTES = 512 * 1024 * 1024
_OPERATIONS = ("insert", "query", "update", "remove", "command")


@dataclass
class Seen:
    """What a run did with one collection."""

    inserted: int = 0
    keyed: Counter[str] = field(default_factory=Counter)
    """Operations whose filter has this field by equality or `$in`."""
    filtered: int = 0

    @property
    def operations(self) -> int:
        return self.inserted + self.filtered

    def targeted(self, key: str) -> float:
        """The part of the operations that a router would send to the shards concerned only."""
        return (self.inserted + self.keyed[key]) / self.operations

    def best(self, fields: Iterable[str]) -> str:
        """The field that targets most; the candidate where two do alike."""
        return max(fields, key=lambda name: (self.targeted(name), name == "candidate_id", name == "_id"))


def equalities(condition: Mapping[str, Any]) -> Iterator[str]:
    """The fields that a filter fixes to one or several values."""
    for name, value in condition.items():
        if name == "$and":
            for part in value:
                yield from equalities(part)
        elif not name.startswith("$") and (not _compared(value) or not {"$eq", "$in"}.isdisjoint(value)):
            yield name


def _compared(value: object) -> bool:
    """Whether a field is held against operators, and not against a value."""
    return isinstance(value, Mapping) and any(each.startswith("$") for each in value)


def filter_of(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The filter of one line of the profiler; None for an insert, whose document has every key."""
    command = entry.get("command", {})
    if entry["op"] == "insert":
        return None
    for name in ("q", "filter", "query"):
        if name in command:
            found: Mapping[str, Any] = command[name]
            return found
    pipeline = command.get("pipeline") or [{}]
    first: Mapping[str, Any] = pipeline[0].get("$match", {})
    return first


def _possible(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Fields that every document has, with enough different values to be dealt to any number of shards."""
    for name in documents[0]:
        values = {str(document.get(name)) for document in documents}
        if all(document.get(name) is not None for document in documents) and len(values) >= len(documents) / 4:
            yield name


def unevenness(values: list[str]) -> float:
    """How much the fullest of the shards has beyond its share, where the values are dealt by their hash."""
    dealt = Counter(hashlib.md5(value.encode(), usedforsecurity=False).digest()[0] % SHARDS for value in values)
    return max(dealt.values()) * SHARDS / len(values) - 1


async def sharding_table(bench: Bench) -> str:
    """Play the main job for some candidates, and lay each collection's operations beside the keys it might have."""
    pipeline, environment = Everybody(), bench.environment
    await pipeline.tear_down(environment)
    await prepare(environment)
    async with databases(environment) as client:
        async with running(pipeline.services(environment), environment.work) as services:
            await until_ready(bench, pipeline, services)
            await bench.sink.ask("reset")
            await _profile(client, 2)
            await main_job(bench, services, CANDIDATES)
            await until_recorded(pipeline, environment, CANDIDATES)
        await _profile(client, 0)
        rows = [row async for row in _rows(client)]
    await pipeline.tear_down(environment)
    heads = ["collection", "operations", "key", "to its shards", "fullest shard", "unique without it"]
    return table(f"Shard keys, by the operations of {CANDIDATES:,} candidates' main job", heads, rows)


async def _profile(client: Client, level: int) -> None:
    for service in SERVICES:
        database = client[database_name(service)]
        if level:
            await database.create_collection("system.profile", capped=True, size=_PROFILE_BYTES)
        await database.command("profile", level)


async def _rows(client: Client) -> AsyncIterator[list[str]]:
    for service in SERVICES:
        database = client[database_name(service)]
        seen: defaultdict[str, Seen] = defaultdict(Seen)
        async for entry in database["system.profile"].find({"op": {"$in": _OPERATIONS}}):
            name = entry["ns"].partition(".")[2]
            condition = filter_of(entry)
            if entry["op"] == "insert":
                seen[name].inserted += 1
            elif condition is not None:
                seen[name].filtered += 1
                seen[name].keyed.update(set(equalities(condition)))
        for name, what in sorted(seen.items()):
            collection = database[name]
            documents = await collection.find().to_list(None)
            if what.operations < LEAST or not documents or name in NOT_SHARDED:
                continue
            key = what.best(_possible(documents))
            unique = [
                index["name"]
                async for index in collection.list_indexes()
                if index.get("unique") and next(iter(index["key"])) != key
            ]
            yield [
                f"{service}.{name}",
                f"{what.operations:,}",
                key,
                f"{what.targeted(key):.0%}",
                f"+{unevenness([str(document[key]) for document in documents]):.0%}",
                ", ".join(unique) or "-",
            ]
