"""Schemathesis makes requests from every OpenAPI document, right and wrong ones: no fault of ours, no undocumented
answer, no body that is not of its schema.

A short look with each run; CERTRAIL_FUZZ_EXAMPLES asks for a long one: so many requests an operation, and each edge of
each schema besides.
"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.service.surfaces.surface import PROGRAM, Surface, staff

LONG = "CERTRAIL_FUZZ_EXAMPLES"
EXAMPLES = os.environ.get(LONG, "2")
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
)
EDGES = "coverage,fuzzing" if LONG in os.environ else "fuzzing"
"""Coverage tries each edge of each schema, which is the same whoever asks, and takes minutes."""
PHASES = {"the candidate": "fuzzing", "staff": EDGES, "staff about made-up things": "fuzzing"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("caller", PHASES)
async def test_requests_made_from_the_document_are_answered_as_it_says(
    surface: Surface, caller: str, tmp_path: Path
) -> None:
    token = surface.token(surface.owner() if caller == "the candidate" else staff())
    values = {"program": PROGRAM} if "made-up" in caller else _path_values(surface)
    given = "".join(f'"path.{name}" = "{value}"\n' for name, value in values.items())
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(f"[parameters]\n{given}")
    program = await asyncio.create_subprocess_exec(
        *(Path(sys.executable).parent / "st", "--config-file", settings, "run"),
        *(f"{surface.origin}{surface.parts.api.base}/openapi.json", "--phases", PHASES[caller]),
        *("--checks", ",".join(CHECKS), "--max-examples", EXAMPLES, "--generation-deterministic"),
        *("--header", f"Authorization: Bearer {token}", "--continue-on-failure", "--no-color", "--warnings", "off"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        said, _ = await program.communicate()
    finally:
        if program.returncode is None:
            program.kill()
    assert program.returncode == 0, "\n".join(line[:400] for line in said.decode().splitlines())


def _path_values(surface: Surface) -> dict[str, str]:
    """Of what lies there."""
    paths = "".join(operation.path for operation in surface.operations())
    return {name: value for name, value in surface.seed.values.items() if f"{{{name}}}" in paths}
