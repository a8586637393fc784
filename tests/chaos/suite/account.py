"""The account at the end: what was sent, what must have come of it, what is there. Any difference is a failure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from deploy.sample.count import Count
from tests.chaos.suite.load import Load

Tally = Counter[tuple[str, ...]]
"""How often each thing exists."""

MAILS = {
    "activation": "activation",
    "exam_passed": "result",
    "exam_failed": "result",
    "certification_awarded": "congratulation",
}
"""What the count calls the mails of a template."""
EXAMPLES = 3


@dataclass(frozen=True)
class Line:
    """One kind of thing."""

    name: str
    expected: int
    found: int
    lost: list[tuple[str, ...]]
    """Expected, and not there as often as expected."""
    doubled: list[tuple[str, ...]]
    """There more often than expected, or not expected at all."""

    @property
    def agrees(self) -> bool:
        return not self.lost and not self.doubled


@dataclass
class Found:
    """What the platform holds, has told and has sent, as far as it concerns the load."""

    things: dict[str, Tally]
    """By kind, as `expected_things` names and keys them."""
    deliveries: Counter[str] = field(default_factory=Counter)
    """By Message-ID, how often the mail server accepted it."""
    told: Tally = field(default_factory=Counter)
    """By kind of event and what it is about, under how many ids it was told."""
    left: dict[str, int] = field(default_factory=dict)
    """What waits or was given up: messages in queues, rows in outboxes, mails not settled."""
    parked: int = 0
    complaints: list[str] = field(default_factory=list)
    """Failures that the platform ought not to have had, whatever it made of them."""


@dataclass(frozen=True)
class Account:
    """The whole account."""

    lines: list[Line]
    repeated_mails: int
    """Deliveries beyond the first under the same Message-ID: allowed, by rule, where a sender was killed."""
    faults: list[str]
    """What else is wrong."""

    @property
    def agrees(self) -> bool:
        return not self.faults and all(line.agrees for line in self.lines)


def expected_things(load: Load) -> dict[str, Tally]:
    """What must exist, by the second account: each thing once."""
    singles, climbers = load.counted()
    results: Tally = Counter()
    certifications: Tally = Counter()
    accounts: Tally = Counter()
    for counted in (singles, climbers):
        accounts.update((load.email(account),) for account in counted.accounts)
        results.update((key[2], result.grade) for key, result in counted.results.items())
        certifications.update(
            (load.email(account), name, holding.earned.isoformat(), last_day(holding.expires))
            for account, held in counted.accounts.items()
            for name, holding in held.items()
        )
    mails = _mails(load, singles)
    return {
        "accounts": accounts,
        "results": results,
        "certifications": certifications,
        "kits": Counter((load.email(account), name) for account, name in singles.kits),
        "mails": mails,
        "letters": Counter((email,) for email, _ in mails.elements()),
    }


def last_day(expires: date) -> str:
    """The last active day as it is stored; what never expires has none."""
    return "" if expires == date.max else expires.isoformat()


def compare(expected: Mapping[str, Tally], found: Mapping[str, Tally]) -> list[Line]:
    """Kind by kind, what is expected beside what is there."""
    return [
        Line(
            name,
            tally.total(),
            found[name].total(),
            sorted((tally - found[name]).elements()),
            sorted((found[name] - tally).elements()),
        )
        for name, tally in expected.items()
    ]


def reckon(load: Load, found: Found, *, fallen: Sequence[str]) -> Account:
    """The account of a run. `fallen` are processes that ended by themselves."""
    faults = [f"left over: {name}: {count}" for name, count in found.left.items()]
    faults += [f"told under {count} ids: {' '.join(what)}" for what, count in found.told.items() if count > 1]
    faults += [f"parked messages: {found.parked}"] if found.parked else []
    faults += list(found.complaints)
    faults += [f"fell: {each}" for each in fallen]
    repeated = found.deliveries.total() - len(found.deliveries)
    return Account(compare(expected_things(load), found.things), repeated, faults)


def written(account: Account) -> Iterable[str]:
    """The account in lines for people."""
    yield f"{'':<16}{'expected':>10}{'found':>10}{'lost':>8}{'doubled':>9}"
    for line in account.lines:
        lost, doubled = len(line.lost), len(line.doubled)
        yield f"{line.name:<16}{line.expected:>10}{line.found:>10}{lost:>8}{doubled:>9}"
        yield from (f"    lost: {' '.join(each)}" for each in line.lost[:EXAMPLES])
        yield from (f"    doubled: {' '.join(each)}" for each in line.doubled[:EXAMPLES])
    yield f"mails delivered again under the same Message-ID: {account.repeated_mails}"
    yield from (f"wrong: {fault}" for fault in account.faults)
    yield "everything agrees" if account.agrees else "THE ACCOUNT DOES NOT AGREE"


def _mails(load: Load, counted: Count) -> Tally:
    """The mails of candidates with one result: to open the account, about the result, about what it gave."""
    mails: Tally = Counter((load.email(account), "activation") for account in counted.accounts)
    for result in counted.results.values():
        if result.account in counted.accounts and result.told is not None:
            mails[load.email(result.account), "result"] += 1
    for account, held in counted.accounts.items():
        active = sum(holding.covers(counted.as_of) for holding in held.values())
        mails[load.email(account), "congratulation"] += active
    return +mails
