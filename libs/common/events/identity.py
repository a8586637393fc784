"""Events of the identity service: who a candidate is and which partners' ids are theirs."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from libs.common.events.audit import Seal
from libs.common.events.personal_data import PublicKey
from libs.common.events.registry import EventData
from libs.common.events.types import (
    PERSONAL,
    Address,
    Code,
    Country,
    EmailAddress,
    Identifier,
    Language,
    Line,
    Moment,
    PartnerId,
    PersonName,
    Remark,
)


class CandidateRegistered(EventData, publisher="identity"):
    """An account exists, not yet activated."""

    candidate_id: Identifier
    given_name: PersonName
    family_name: PersonName
    email: EmailAddress
    country: Country
    language: Language | None = None
    address: Annotated[Address | None, Field(json_schema_extra=PERSONAL)] = None
    registered_at: Moment


class AccessRequested(EventData, publisher="identity"):
    """A person may enter by a single-use link: the first time, or after a forgotten password."""

    candidate_id: Identifier
    reason: Annotated[str, Field(pattern="^(activation|recovery)$")]
    token: Annotated[Line, Field(json_schema_extra=PERSONAL)]
    expires_at: Moment


class SessionsRevoked(EventData, publisher="identity"):
    """A session was ended by identity itself: a refresh token came a second time, so somebody has a copy."""

    candidate_id: Identifier
    reason: Annotated[str, Field(pattern="^reuse$")]
    revoked_at: Moment


class PasswordChanged(EventData, publisher="identity"):
    """An account that had a password has another one."""

    candidate_id: Identifier
    changed_at: Moment


class SecondFactorChanged(EventData, publisher="identity"):
    """From now on logins ask for a code beside the password, or no longer."""

    candidate_id: Identifier
    state: Annotated[str, Field(pattern="^(on|off)$")]
    changed_at: Moment


class EmailChangeRequested(EventData, publisher="identity"):
    """A candidate wants mails to go to another address, which has to be shown to be theirs."""

    candidate_id: Identifier
    email: EmailAddress
    """The new one, to which the link is sent."""
    token: Annotated[Line, Field(json_schema_extra=PERSONAL)]
    expires_at: Moment


class EmailChanged(EventData, publisher="identity"):
    """Mails go to another address, which the profile names; the former one is told for the last time."""

    candidate_id: Identifier
    former_email: EmailAddress
    changed_at: Moment


class ExternalIdLinked(EventData, publisher="identity"):
    """A partner's id belongs to a candidate: from now on, and for everything that came before."""

    candidate_id: Identifier
    system: Identifier
    external_id: PartnerId
    verified_by: Line
    linked_at: Moment
    """Grows with every change of the same id: the later one is what holds."""
    merge_id: Identifier | None = None
    """Set where a merge moves it: then what was told before stays the other account's, as the merge itself says."""


class ExternalIdUnlinked(EventData, publisher="identity"):
    """A partner's id is nobody's any more, until it is linked again."""

    candidate_id: Identifier
    system: Identifier
    external_id: PartnerId
    unlinked_at: Moment


class CandidateProfileChanged(EventData, publisher="identity"):
    """What the candidate says of themselves has changed; the whole profile as it is now."""

    candidate_id: Identifier
    given_name: PersonName
    family_name: PersonName
    email: EmailAddress
    country: Country
    language: Language | None = None
    address: Annotated[Address | None, Field(json_schema_extra=PERSONAL)] = None
    native_address: Annotated[Address | None, Field(json_schema_extra=PERSONAL)] = None
    """In the person's own script, beside the Latin one."""
    native_given_name: PersonName | None = None
    """Likewise."""
    native_family_name: PersonName | None = None
    employer: Annotated[Line | None, Field(json_schema_extra=PERSONAL)] = None
    job_title: Annotated[Line | None, Field(json_schema_extra=PERSONAL)] = None
    time_zone: Line | None = None


class PreferencesChanged(EventData, publisher="identity"):
    """Which mails a candidate wants, as all of it is now."""

    candidate_id: Identifier
    mails: dict[Code, bool]
    """By kind; one that is not in it is wanted."""
    marketing: bool | None = None
    """Consent to marketing; None where nobody was asked."""
    marketing_text_version: Line | None = None
    marketing_at: Moment | None = None
    """When that was said."""
    digest: Literal["daily", "weekly"] | None = None
    """How often one mail tells of what can wait; None for a mail each, at once."""
    changed_at: Moment


class CandidatesMerged(EventData, publisher="identity"):
    """Two accounts are of one person: everything of the first belongs to the second from now on."""

    merge_id: Identifier
    candidate_id: Identifier
    """The account that goes on."""
    merged_id: Identifier
    """The account that ends; its id keeps resolving to the other."""
    merged_at: Moment


class CandidatesSeparated(EventData, publisher="identity"):
    """A merge was wrong and is undone: each account has again what was its own."""

    merge_id: Identifier
    candidate_id: Identifier
    merged_id: Identifier
    separated_at: Moment


class CandidateNameChanged(EventData, publisher="identity"):
    """A candidate has another name from now on; what was awarded before keeps the name it was awarded under."""

    candidate_id: Identifier
    given_name: PersonName
    family_name: PersonName
    native_given_name: PersonName | None = None
    native_family_name: PersonName | None = None
    case_id: Identifier
    """The case that decided it."""
    changed_at: Moment


class _Case(EventData):
    candidate_id: Identifier
    case_id: Identifier
    reference: Code
    """What people call the case."""
    kind: Code
    """`name`, `mapping`, `duplicate`, `missing_result`, `kit` or `other`; more may come."""


class CaseOpened(_Case, publisher="identity"):
    """Staff have something to decide for a candidate."""

    due_on: date
    """The last day on which it is decided in time."""
    opened_at: Moment
    by_itself: bool = False
    """Whether nobody asked for it: a result was late, or a parcel came back."""
    exam_code: Code | None = None
    """Of the result that is missing."""
    promised_on: date | None = None
    """The last day on which it was to come."""


class CaseMessageWritten(_Case, publisher="identity"):
    """Staff have written to a candidate; what they wrote stands in the case alone."""

    needs_answer: bool
    """Whether the case waits for the candidate."""
    written_at: Moment


class CaseDecided(_Case, publisher="identity"):
    """A case is decided; what was accepted is done."""

    decision: Literal["accepted", "refused"]
    reason: Annotated[Remark, Field(json_schema_extra=PERSONAL)]
    decided_at: Moment


class CaseSettled(_Case, publisher="identity"):
    """A case about a missing result has decided itself."""

    outcome: Annotated[str, Field(pattern="^(arrived|lapsed)$")]
    """`arrived`: the vendor has reported; `lapsed`: there is no result to wait for."""
    reason: Annotated[Remark, Field(json_schema_extra=PERSONAL)]
    exam_code: Code
    settled_at: Moment


class StaffInvited(EventData, publisher="identity"):
    """Somebody who works for a program may open their account by a link, or set a forgotten password."""

    staff_id: Identifier
    full_name: PersonName
    email: EmailAddress
    reason: Annotated[str, Field(pattern="^(invitation|recovery)$")]
    token: Annotated[Line, Field(json_schema_extra=PERSONAL)]
    expires_at: Moment


class PersonalDataRequested(EventData, publisher="identity"):
    """A candidate's export is being made: the services named say all that they hold about these accounts."""

    export_id: Identifier
    attempt: Annotated[int, Field(ge=1)] = 1
    services: Annotated[list[Code], Field(min_length=1)]
    accounts: Annotated[list[Identifier], Field(min_length=1)]
    """Of one person."""
    public_key: PublicKey
    """What is said is sealed for its private half, which is destroyed when the export is made."""


class DataExportReady(EventData, publisher="identity"):
    """A candidate's export can be downloaded."""

    candidate_id: Identifier
    export_id: Identifier
    expires_at: Moment


class ErasureRequested(EventData, publisher="identity"):
    """A person's data will be erased, unless that is cancelled in time."""

    candidate_id: Identifier
    asked_by: Annotated[str, Field(pattern="^(candidate|staff)$")]
    due_at: Moment


class ErasureCancelled(EventData, publisher="identity"):
    """A person's data will not be erased after all."""

    candidate_id: Identifier
    cancelled_at: Moment


class ErasedAccount(BaseModel):
    """An account and what stands for it in everything that is kept."""

    candidate_id: Identifier
    pseudonym: Identifier


class CandidateErased(EventData, publisher="identity"):
    """A person is erased: from now on they go by pseudonyms, and nobody keeps anything that tells who they were.

    It is told twice, the second time when the last access token of the person has ended.
    """

    candidate_id: Identifier
    """The account that stood for all of them."""
    accounts: Annotated[list[ErasedAccount], Field(min_length=1)]
    erased_at: Moment
    again: bool = False
    """Whether it was told before: then nothing more is written to them."""


class AuditSealed(Seal, publisher="identity"):
    """How far the audit log of identity has come, and the hash of its last record."""
