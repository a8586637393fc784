"""A mail as its reader will see it, for staff to look at: with made-up facts or their own, by day and by night."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Final, Literal

from services.notify.domain.mails import TOKEN, Template
from services.notify.samples import SAMPLES, Facts

Theme = Literal["device", "light", "dark"]

POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; "
    "sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""A mail has its style within itself. Nothing runs in it, it sends nothing, and it has an origin of its own."""

_BY_DEVICE: Final = "@media (prefers-color-scheme:dark)"
_MEDIA: Final[Mapping[Theme, str]] = {"device": _BY_DEVICE, "light": "@media not all", "dark": "@media all"}
_SCHEMES: Final[Mapping[Theme, str]] = {"device": "light dark", "light": "light", "dark": "dark"}


class FactError(ValueError):
    """Facts that no mail of this kind can have; says which."""

    def __init__(self, name: str | None, message: str) -> None:
        super().__init__(message)
        self.name = name
        """None where it is the sample that is missing."""


def themed(html: str, theme: Theme) -> str:
    """A mail as it looks by day or by night, whatever the device of who looks has chosen."""
    return html.replace(_BY_DEVICE, _MEDIA[theme], 1).replace(
        ":root{color-scheme:light dark}", f":root{{color-scheme:{_SCHEMES[theme]}}}", 1
    )


def facts_for(template: Template, sample: int, own: Mapping[str, Any]) -> Facts:
    """The facts of a sample, with some of them replaced.

    Raises:
        FactError: there is no such sample or fact, or a fact is of another type than those of the samples.
    """
    samples = SAMPLES[template]
    if not 0 <= sample < len(samples):
        raise FactError(None, f"there are samples 0 to {len(samples) - 1}")
    return samples[sample] | {name: _fact(template, name, value) for name, value in own.items()}


def _fact(template: Template, name: str, value: Any) -> Any:
    known = [sample[name] for sample in SAMPLES[template] if name in sample and name != TOKEN]
    if not known:
        raise FactError(name, "this mail has no such fact")
    if any(isinstance(one, datetime) for one in known):
        return _moment(name, value)
    if not any(_alike(value, one) for one in known):
        raise FactError(name, f"a value like {known[0]!r} is needed")
    if any(_is_day(one) for one in known) and value is not None and not _is_day(value):
        raise FactError(name, "a day is needed, written YYYY-MM-DD")
    return value


def _alike(value: Any, known: Any) -> bool:
    if isinstance(known, list) and isinstance(value, list):
        return all(any(_alike(one, like) for like in known) for one in value)
    if isinstance(known, dict) and isinstance(value, dict):
        return value.keys() == known.keys() and all(_alike(value[name], known[name]) for name in known)
    return type(value) is type(known)


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise FactError(name, "a moment is needed, written as in RFC 3339") from None
