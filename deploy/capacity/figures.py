"""What one run of `make bench` has measured of costs and sizes, as `deploy/capacity/figures.json` holds it."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FIGURES: Final = Path(__file__).with_name("figures.json")
"""The figures that the documents speak of."""


class _Measured(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Work(_Measured):
    """Many of one kind, through all hops to the mail accepted."""

    count: int = Field(gt=0)
    seconds: float = Field(gt=0)
    cpu_ms: dict[str, float]
    """For each of them, by service, `mongod` and `beam` (the broker)."""
    foreign: float
    """The part of the machine that something else took meanwhile, 0 to 1."""


class Growth(_Measured):
    """A platform of one size.

    Each of its candidates has a registration, a result, a certification, a kit offered and three mails.
    """

    candidates: int = Field(gt=0)
    registrations: Work
    results: Work
    reads: Work
    """Of the certifications of one candidate, by the API."""
    read_ms: dict[str, float]
    """Of one such request at a time: `p50` and `p99`."""
    data_bytes: dict[str, int]
    """Stored and compressed, by service."""
    index_bytes: dict[str, int]
    memory_mb: dict[str, float]
    """Resident, of each service's process, `mongod` and `beam`."""
    broker_bytes: int = Field(ge=0)
    """That a registration and a result leave on the broker's disk: the log of all events."""


class Figures(_Measured):
    """All of it, smallest platform first."""

    machine: str
    growth: tuple[Growth, ...] = Field(min_length=1)


def read_figures(path: Path = FIGURES) -> Figures:
    """The figures of a file.

    Raises:
        ValueError: there is none, or it holds something else.
    """
    try:
        return Figures.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{path.name}: {place}: {first['msg']}") from None
