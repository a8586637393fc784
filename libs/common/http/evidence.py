"""Evidence as files: the kinds that are taken, told by their content, and how they are given back."""

from collections.abc import Mapping
from typing import Any

from libs.common.http.files import Download, Upload
from libs.common.http.problems import invalid

_BEGINS = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}
_ENDINGS = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


class EvidenceUpload(Upload):
    """A certificate, a photograph of a document or the like."""

    media_types = tuple(_BEGINS)
    max_bytes = 5 * 1024 * 1024


class EvidenceFile(Download):
    """The same, for whoever decides by it."""

    media_types = tuple(_BEGINS)


def checked(upload: EvidenceUpload) -> EvidenceUpload:
    """The upload, where its content is of the kind that it says. Raises a problem where it is not."""
    if not upload.content.startswith(_BEGINS[upload.media_type]):
        raise invalid("body", "content", f"is no {upload.media_type}")
    return upload


def file_name(media_type: str, name: str) -> str:
    """The name that a file is saved under: `name` is ours, never the uploader's."""
    return f"evidence-{name}.{_ENDINGS[media_type]}"


def evidence_file(row: Mapping[str, Any], name: str) -> EvidenceFile:
    """A stored file as it is saved; the row says whose it is."""
    media_type: str = row["media_type"]
    return EvidenceFile(media_type, file_name(media_type, name), bytes(row["content"]), row["candidate_id"])
