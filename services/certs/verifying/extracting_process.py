"""Finds the credential in a file: the task is the file, the answer a `Found` or a fault, as JSON."""

import json

from services.certs.verifying.extracting import extract
from services.certs.verifying.found import UnreadableError
from services.certs.verifying.limits import work_within_limits


def answered(content: bytes) -> bytes:
    try:
        return json.dumps(extract(content)._asdict()).encode()
    except UnreadableError as error:
        return json.dumps({"fault": error.fault}).encode()


if __name__ == "__main__":
    work_within_limits(answered)
