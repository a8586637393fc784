"""The archive that a candidate downloads: the same bytes for the same files."""

import zipfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from tempfile import SpooledTemporaryFile

CHUNK_BYTES = 4 * 1024 * 1024
"""What one document of the database holds of it, well below its 16 MB."""
_IN_MEMORY = 16 * 1024 * 1024

README = "README.txt"
_EXPLAINED = """Everything that Certrail holds about you

Made for {candidate_id} on {day} (UTC).

Each folder is a part of Certrail, each .json file in it one kind of record, in a list; times are UTC.

identity      your account, your ids at partners, logins, consents, cases, exports and erasures
exams         appointments and results, with all their revisions
certs         certifications with the facts behind them, claims, decisions, and under files/ what you uploaded
fulfillment   what you were offered
notify        the address we write to, and the mails we sent

Not in it: your password and the secret of your authenticator app, of which only hashes or keys are kept that must stay
secret; backups, which age out; and what other people wrote that is not about you.
"""


def readme(candidate_id: str, made_at: datetime) -> bytes:
    """What is what in the archive."""
    return _EXPLAINED.format(candidate_id=candidate_id, day=f"{made_at:%Y-%m-%d}").encode()


def archived(files: Mapping[str, bytes], made_at: datetime) -> Iterator[bytes]:
    """Files by path as a ZIP, in chunks of `CHUNK_BYTES`. The order and the dates in it are fixed."""
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as written:
        with zipfile.ZipFile(written, "w") as archive:
            for path in sorted(files):
                entry = zipfile.ZipInfo(path, made_at.timetuple()[:6])
                entry.create_system = 3  # or it says on which kind of machine it was made
                entry.external_attr = 0o600 << 16
                # What people upload is compressed already.
                entry.compress_type = zipfile.ZIP_STORED if "/files/" in path else zipfile.ZIP_DEFLATED
                archive.writestr(entry, files[path])
        written.seek(0)
        while chunk := written.read(CHUNK_BYTES):
            yield chunk
