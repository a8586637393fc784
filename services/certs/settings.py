"""Settings of certs."""

from pydantic import Field, SecretStr

from libs.common.http.senders import OUR_NETWORKS, Networks
from libs.common.settings import ServiceSettings


class CertsSettings(ServiceSettings):
    """What certs needs beside the common settings."""

    certs_keys_secret: SecretStr = Field(
        min_length=32, description="encrypts the keys that sign credentials, as they lie in the database"
    )
    trusted_proxies: Networks = Field(
        default=OUR_NETWORKS, description="networks of the gateway, whose X-Forwarded-For is believed"
    )
