"""Which mails a candidate wants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.notify.domain.gathering import Rhythm
from services.notify.domain.mails import KINDS, MARKETING, Template

UNWANTED = "unwanted"
"""Why a mail is withheld whose kind the candidate has switched off."""
NO_CONSENT = "no_consent"
"""Why news are withheld from somebody who has not agreed to them, or no longer does."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a candidate has said. Nothing said is no wish against mails of the service, and no consent to news."""

    mails: Mapping[str, bool] = field(default_factory=dict)
    marketing: bool = False
    marketing_at: datetime | None = None
    """When consent was given or taken back; None where that was never said."""
    unsubscribed_at: datetime | None = None
    """When a link in a mail was followed to take it back."""
    digest: Rhythm | None = None
    """How often one mail tells of what can wait; None for a mail each."""

    @property
    def news(self) -> bool:
        """Whether news may be sent: consent was given, and not taken back by a link since."""
        if not self.marketing or self.marketing_at is None:
            return False
        return self.unsubscribed_at is None or self.marketing_at > self.unsubscribed_at

    def against(self, template: Template) -> str | None:
        """Why a mail must not go; None where it may."""
        if template in MARKETING:
            return None if self.news else NO_CONSENT
        kind = KINDS.get(template)
        return UNWANTED if kind is not None and self.mails.get(kind) is False else None
