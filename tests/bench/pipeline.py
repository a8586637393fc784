"""What takes part in the benchmark: a pipeline, or an HTTP service, as a set of operating-system processes.

The harness owns the servers, the load, the mail sink, the clock and the processes' lives; a participant says what to
start, how to begin from an empty state in which the candidates are known, and what was recorded in the end.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from deploy.local.mongod import MongoServer
from deploy.local.rabbitmq import BrokerServer


@dataclass(frozen=True)
class Environment:
    """The servers of one run; they are shared by all participants, one at a time."""

    mongo: MongoServer
    broker: BrokerServer
    smtp_host: str
    smtp_port: int
    work: Path
    """An empty folder for logs and whatever else a participant wants to keep until the run ends."""


@dataclass(frozen=True)
class Service:
    """One process to start, from the repository's root, beside the variables of the caller."""

    name: str
    """What its memory is reported under; several processes may share a name and are added up."""
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class VendorDoor:
    """Where and as whom the load generator publishes. The user is put into every message as its `user_id`."""

    amqp_url: str
    exchange: str


@dataclass(frozen=True)
class Counts:
    """What the services have recorded; a kit is a benefit offered, a mail is one marked as sent."""

    results: int
    certifications: int
    kits: int
    mails: int


class Pipeline(ABC):
    """From a vendor's result to the mail accepted, through the hops exams, certs, fulfillment and notify."""

    name: ClassVar[str]
    """As in the tables and in `--only`."""
    share: ClassVar[float] = 1.0
    """The part of the run's results that this pipeline gets, so that a slow one does not take all day."""
    mails_per_result: ClassVar[int] = 2

    @abstractmethod
    async def set_up(self, environment: Environment, results: int) -> None:
        """Begin anew: empty queues and databases, and candidates 0 to `results` - 1 of `population` known."""

    @abstractmethod
    def services(self, environment: Environment) -> Sequence[Service]:
        """The processes that do the work. They are sent SIGTERM in the end."""

    @abstractmethod
    async def wait_ready(self, environment: Environment) -> None:
        """Return when every process consumes; the caller sets the deadline."""

    @abstractmethod
    def vendor_door(self, environment: Environment) -> VendorDoor: ...

    @abstractmethod
    async def counts(self, environment: Environment) -> Counts: ...

    @abstractmethod
    async def tear_down(self, environment: Environment) -> None:
        """Remove the queues and data, so that nothing weighs on the next participant. Its processes are gone."""


@dataclass(frozen=True)
class HttpRequest:
    """A GET that the load repeats: path with query, and headers."""

    path: str
    headers: Mapping[str, str]


class HttpTarget(ABC):
    """A service that answers a candidate who reads their certifications."""

    name: ClassVar[str]

    @abstractmethod
    async def set_up(self, environment: Environment, candidates: int) -> None:
        """Candidates 0 to `candidates` - 1 of `population`, each with three certifications."""

    @abstractmethod
    def service(self, environment: Environment, port: int) -> Service:
        """One process that listens on `port` of the loopback address."""

    @abstractmethod
    def requests(self, environment: Environment) -> Sequence[HttpRequest]:
        """What to ask, in turn; every one must be answered with 200. Called once the service listens."""

    @abstractmethod
    async def tear_down(self, environment: Environment) -> None: ...
