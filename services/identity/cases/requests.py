"""What candidates ask for, by kind, as they write it and as it is shown."""

from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import Field, RootModel, model_validator

from libs.common.casework.words import Text
from libs.common.events.types import Code, EmailAddress, Identifier, PartnerId, PersonName
from libs.common.http.models import Body, Day, View
from libs.common.mongo.client import Document
from services.identity.profile_api import NativeName, NativeNameView


class _Request(Body):
    text: Annotated[Text | None, Field(description="The first message")] = None


class NameRequest(_Request):
    """Another name, as the evidence has it."""

    kind: Literal["name"]
    given_name: PersonName
    family_name: PersonName
    native_name: Annotated[NativeName | None, Field(description="Left out, the one there is stays")] = None


class DuplicateRequest(_Request):
    """Another account of the same person, by its ID or its address for mail."""

    kind: Literal["duplicate"]
    candidate_id: Identifier | None = None
    email: EmailAddress | None = None

    @model_validator(mode="after")
    def _something_to_go_by(self) -> Self:
        if self.candidate_id is None and self.email is None:
            raise ValueError("give candidate_id, or email")
        return self


class MissingResultRequest(_Request):
    """A result that should be there."""

    kind: Literal["missing_result"]
    exam_code: Code
    taken_on: Day
    registration_id: Annotated[PartnerId | None, Field(description="As it stands on a score report")] = None


class KitRequest(_Request):
    """Something that was to be sent, by its order or by what it belongs to."""

    kind: Literal["kit"]
    order_id: Identifier | None = None
    certification: Code | None = None

    @model_validator(mode="after")
    def _something_to_go_by(self) -> Self:
        if self.order_id is None and self.certification is None:
            raise ValueError("give order_id, or certification")
        return self


class OtherRequest(Body):
    """Anything else, in the candidate's words."""

    kind: Literal["other"]
    text: Text


Request = NameRequest | DuplicateRequest | MissingResultRequest | KitRequest | OtherRequest


class NewCase(RootModel[Annotated[Request, Field(discriminator="kind")]]):
    """What a candidate wants done, by its kind. Partners' ids are claimed with a registration, at `external-ids`."""


class NameDetails(View):
    kind: Literal["name"]
    given_name: str
    family_name: str
    native_name: NativeNameView | None


class MappingDetails(View):
    kind: Literal["mapping"]
    system: str
    external_id: str
    registration_id: str


class DuplicateDetails(View):
    kind: Literal["duplicate"]
    candidate_id: str | None
    email: str | None


class MissingResultDetails(View):
    kind: Literal["missing_result"]
    exam_code: str
    taken_on: date
    registration_id: str | None
    vendor: str | None = None
    """Of a case that was opened by itself, as is the next."""
    promised_on: date | None = None
    """The last day on which the result was to come."""


class KitDetails(View):
    kind: Literal["kit"]
    order_id: str | None
    certification: str | None
    returned_on: date | None = None
    """Of a case that was opened by itself: when the parcel came back."""


class OtherDetails(View):
    kind: Literal["other"]


Details = Annotated[
    NameDetails | MappingDetails | DuplicateDetails | MissingResultDetails | KitDetails | OtherDetails,
    Field(discriminator="kind"),
]


def stored(request: Request) -> Document:
    """The details of a request as a case keeps them."""
    given: dict[str, Any] = request.model_dump(exclude={"kind", "text"})
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()}
