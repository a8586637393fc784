"""What systems outside may be told: which events, and which of their fields.

A subscriber gets the fields that the event language knows and no others: personal data only where the subscription asks
for it, secrets never. So a field that a newer publisher has added stays here until this code knows what it is.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from libs.common.events.registry import SERVICES, EventData, all_events
from libs.common.events.types import PERSONAL, SECRET

Json = dict[str, Any]


class Part(NamedTuple):
    """A field, and the fields of what is in it; those of a plain value are None."""

    personal: bool
    fields: "Mapping[str, Part] | None"


@cache
def subscribable() -> Mapping[str, type[EventData]]:
    """The events that may be subscribed to, by key: what services say of candidates.

    Left out are those that exist for the sake of a secret, like the link that opens an account.
    """
    return {key: model for key, model in all_events().items() if model.publisher in SERVICES and _is_open(model)}


def _is_open(model: type[EventData]) -> bool:
    secrets = (field for field in model.model_fields.values() if _marked(field, SECRET))
    return "candidate_id" in model.model_fields and next(secrets, None) is None


def told(event_key: str, data: Mapping[str, Any], *, personal: bool) -> Json:
    """The data of an event as JSON, as a subscriber gets it; without `personal` also without personal data.

    Raises:
        KeyError: nobody may subscribe to such an event.
    """
    kept: Json = _kept(data, _fields(event_key), personal=personal)
    return kept


def personal_fields(event_key: str) -> list[str]:
    """What of an event is only told where it is asked for: names of fields, those within others after a dot."""
    return list(_personal(_fields(event_key), ""))


def _kept(value: Any, fields: Mapping[str, Part], *, personal: bool) -> Any:
    if isinstance(value, list):
        return [_kept(each, fields, personal=personal) for each in value]
    if not isinstance(value, Mapping):
        return value
    kept: Json = {}
    for name, each in value.items():
        part = fields.get(name)
        if part is not None and (personal or not part.personal):
            kept[name] = each if part.fields is None else _kept(each, part.fields, personal=personal)
    return kept


def _personal(fields: Mapping[str, Part], prefix: str) -> Iterator[str]:
    for name, part in fields.items():
        if part.personal:
            yield prefix + name
        elif part.fields is not None:
            yield from _personal(part.fields, f"{prefix}{name}.")


@cache
def _fields(event_key: str) -> Mapping[str, Part]:
    return _parts(subscribable()[event_key])


def _parts(model: type[BaseModel]) -> Mapping[str, Part]:
    fields = {name: field for name, field in model.model_fields.items() if not _marked(field, SECRET)}
    return {name: Part(_marked(field, PERSONAL), _within(field)) for name, field in fields.items()}


def _within(field: FieldInfo) -> Mapping[str, Part] | None:
    """The fields of the objects that a field holds, alone or in a list."""
    parts: dict[str, Part] = {}
    for hint in _hints(field.annotation):
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            parts.update(_parts(hint))
    return parts or None


def _marked(field: FieldInfo, mark: Mapping[str, Any]) -> bool:
    """Whether a field has a mark, itself or as one of the kinds of value that it may hold."""
    infos = [field, *(hint for hint in _hints(field.annotation) if isinstance(hint, FieldInfo))]
    extras = (info.json_schema_extra for info in infos)
    return any(isinstance(extra, dict) and mark.items() <= extra.items() for extra in extras)


def _hints(hint: Any) -> Iterator[Any]:
    """A type and all that it is made of."""
    yield hint
    for part in get_args(hint):
        yield from _hints(part)
