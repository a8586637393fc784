"""LinkedIn's address for adding a certification to a profile: a bare link, which needs no account of ours there."""

from typing import Final
from urllib.parse import urlencode

from services.certs.credentials.credential import Credential

_ADD: Final = "https://www.linkedin.com/profile/add"


def add_to_profile(credential: Credential, *, organisation: str, page: str) -> str:
    """The address with everything filled in; months are 1 to 12, and without an expiry none is named."""
    fields = {
        "startTask": "CERTIFICATION_NAME",
        "name": credential.title,
        "organizationName": organisation,
        "issueYear": credential.earned_on.year,
        "issueMonth": credential.earned_on.month,
        "certUrl": page,
        "certId": credential.credential_id,
    }
    if credential.expires_on is not None:
        fields |= {"expirationYear": credential.expires_on.year, "expirationMonth": credential.expires_on.month}
    return f"{_ADD}?{urlencode(fields)}"
