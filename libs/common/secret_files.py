"""Secrets shared with partners: files that only a service can read, named by the definitions that need them."""

from pathlib import Path
from typing import Annotated

from pydantic import SecretStr, StringConstraints

from libs.common.errors import Unavailable

_LARGEST = 65_536

SecretName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,60}$")]
"""Names a file in the folder of secrets; no dot and no slash leads out of it."""


class Secrets:
    """Reads secrets, each time anew, so that a new one needs no restart.

    Args:
        folder: where they lie; None where there are none.
        variable: the environment variable that names the folder, for whoever must mend its lack.
    """

    def __init__(self, folder: Path | None, variable: str = "CERTRAIL_VENDOR_SECRETS_DIR") -> None:
        self._folder = folder
        self._variable = variable

    def get(self, name: SecretName) -> SecretStr:
        """A secret without the white space around it. Raises `Unavailable` where there is none to be read."""
        if self._folder is None:
            raise Unavailable(f"{self._variable} is not set")
        path = self._folder / name
        try:
            if path.stat().st_size > _LARGEST:
                raise Unavailable(f"the secret {name} has more than {_LARGEST} bytes")
            text = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Unavailable(f"the secret {name} cannot be read: {type(error).__name__}") from error
        if not text:
            raise Unavailable(f"the secret {name} is empty")
        return SecretStr(text)
