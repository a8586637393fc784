"""Settings of fulfillment."""

from pathlib import Path

from pydantic import Field

from libs.common.settings import ServiceSettings


class FulfillmentSettings(ServiceSettings):
    """What fulfillment needs beside the common settings."""

    vendors_dir: Path | None = Field(
        default=None,
        description="folder of the vendors' definitions (*.yaml); without it fulfilment houses use their queues alone",
    )
    vendor_secrets_dir: Path | None = Field(
        default=None, description="folder of the secrets that the vendors' definitions name, one file each"
    )
    payment_pages_dir: Path | None = Field(
        default=None, description="folder of the payment pages' definitions (*.yaml); without it nothing is sold"
    )
