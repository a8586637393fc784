"""The addresses of what anybody may read. They stand in signed documents, so none of them ever changes."""

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses below the one at which people reach the gateway (`public_url`, without a slash at its end)."""

    root: str

    def issuer_did(self, program: str) -> str:
        """The program as an issuer (did:web, 3: a port is written `%3A`, folders are divided by colons)."""
        return f"did:web:{urlsplit(self.root).netloc.replace(':', '%3A')}:issuers:{program}"

    def did_document(self, program: str) -> str:
        return f"{self.root}/issuers/{program}/did.json"

    def issuer_key(self, program: str, kid: str) -> str:
        """A single JWK, which a VC-JWT names as its `kid`."""
        return f"{self.root}/issuers/{program}/keys/{kid}"

    def issuer_image(self, program: str) -> str:
        return f"{self.root}/issuers/{program}/image"

    def achievement(self, program: str, certification: str, version: int) -> str:
        return f"{self.root}/achievements/{program}/{certification}/{version}"

    def achievement_image(self, program: str, certification: str, version: int) -> str:
        return f"{self.achievement(program, certification, version)}/image"

    def credential(self, credential_id: str) -> str:
        return f"{self.root}/credentials/{credential_id}"

    def badge_page(self, credential_id: str) -> str:
        """The page of a credential for people."""
        return f"{self.root}/b/{credential_id}"

    def status_list(self, program: str, number: int) -> str:
        return f"{self.root}/status/{program}/{number}"

    def transcript(self, token: str) -> str:
        return f"{self.root}/v/{token}"

    def check(self, code: str) -> str:
        """Where a verification code leads."""
        return f"{self.root}/check/{code}"
