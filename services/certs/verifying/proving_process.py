"""Checks signatures: the task is a list of `Claim`s as JSON, the answer a list of booleans in the same order.

To check a proof inside a document its graph is sorted, which a hostile document can make take for ever.
"""

import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from services.certs.signing.data_integrity import BadProof, verify
from services.certs.signing.vc_jwt import ALGORITHM, verify_jwt
from services.certs.verifying.limits import work_within_limits


def answered(task: bytes) -> bytes:
    return json.dumps([_holds(claim) for claim in json.loads(task)]).encode()


def _holds(claim: dict[str, Any]) -> bool:
    try:
        if "token" in claim and claim["receipt"]:
            jws.deserialize_compact(claim["token"], RSAKey.import_key(claim["key"]), algorithms=[ALGORITHM])
        elif "token" in claim:
            verify_jwt(claim["token"], RSAKey.import_key(claim["key"]))
        else:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(claim["key"]))
            verify(claim["document"], claim["proof"], key)
    except (BadProof, JoseError):
        return False
    return True


if __name__ == "__main__":
    work_within_limits(answered)
