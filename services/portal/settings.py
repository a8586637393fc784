"""Settings of the portal."""

from datetime import date

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from libs.common.settings import ProcessSettings


class PortalSettings(ProcessSettings):
    """What the portal needs to know. It asks the services themselves, so that they hear whose browser it is."""

    portal_secret: SecretStr = Field(
        min_length=32, description="secret under which the portal keeps the tokens of sessions, and binds forms to them"
    )
    identity_url: str = Field(default="http://127.0.0.1:8081", description="where identity's API is")
    exams_url: str = Field(default="http://127.0.0.1:8082", description="where exams' API is")
    certs_url: str = Field(default="http://127.0.0.1:8083", description="where certs' API is")
    fulfillment_url: str = Field(default="http://127.0.0.1:8084", description="where fulfillment's API is")
    notify_url: str = Field(default="http://127.0.0.1:8085", description="where notify's API is")
    read_seconds: float = Field(
        default=0.8, gt=0, le=10, description="how long a part of a page is waited for before the page goes without it"
    )

    security_contact: str | None = Field(
        default=None,
        pattern=r"^(mailto:[^\s@]+@[^\s@]+|https://\S+|tel:\+[0-9-]+)$",
        description="where weaknesses are reported, as an address that a browser follows; stands in security.txt",
    )
    security_contact_until: date | None = Field(
        default=None,
        validate_default=True,
        description="last day on which somebody vouches for that contact, at most a year ahead",
    )

    @field_validator("security_contact_until")
    @classmethod
    def _beside_a_contact(cls, value: date | None, info: ValidationInfo) -> date | None:
        if (value is None) != (info.data.get("security_contact") is None):
            raise ValueError("CERTRAIL_SECURITY_CONTACT and this need each other")
        return value

    @property
    def service_urls(self) -> dict[str, str]:
        """By service, without the path of its API."""
        return {
            "identity": self.identity_url,
            "exams": self.exams_url,
            "certs": self.certs_url,
            "fulfillment": self.fulfillment_url,
            "notify": self.notify_url,
        }

    @property
    def secure(self) -> bool:
        """Whether browsers come over TLS, so that cookies may ask for it."""
        return self.public_url.startswith("https://")
