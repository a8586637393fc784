"""Settings of the portal."""

from pydantic import Field, SecretStr

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
