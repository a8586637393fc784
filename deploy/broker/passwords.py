"""Password hashes as RabbitMQ keeps them: a four-byte salt and the SHA-256 of salt and password."""

import base64
import hashlib
import secrets

ALGORITHM = "rabbit_password_hashing_sha256"

_SALT_BYTES = 4


def password_hash(password: str, salt: bytes | None = None) -> str:
    """The hash to put into definitions, with a random salt unless one is given."""
    salted = secrets.token_bytes(_SALT_BYTES) if salt is None else salt
    return base64.b64encode(salted + hashlib.sha256(salted + password.encode()).digest()).decode()
