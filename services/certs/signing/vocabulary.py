"""What documents that are signed are made of, and the addresses of the contexts that they name."""

from typing import Any, Final

Json = dict[str, Any]

VC: Final = "https://www.w3.org/ns/credentials/v2"
CLR: Final = "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json"
OB: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
OB_EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"
"""Needed wherever `credentialSchema` is named."""
