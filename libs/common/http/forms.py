"""Forms as the body of a request, where a standard asks for one."""

from typing import TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, ValidationError

from libs.common.http.problems import MALFORMED, Problem, from_validation, invalid

MEDIA_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 50


class Form(BaseModel):
    """A body that comes as a form. Fields that are empty or not known count as not sent (RFC 6749, 3.2)."""

    model_config = ConfigDict(extra="ignore", frozen=True)


F = TypeVar("F", bound=Form)


def read_form(raw: bytes, model: type[F]) -> F:
    """The form in a body. Raises the problems `malformed-body` and `invalid-request`."""
    try:
        pairs = parse_qsl(raw.decode("utf-8"), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise Problem(MALFORMED, "the body is no form in UTF-8") from error
    values = dict(pairs)
    if len(values) < len(pairs):
        raise invalid("body", "repeated", "each field may be given once")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise from_validation(error, "body") from error
