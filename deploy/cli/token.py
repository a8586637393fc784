"""`certrail token`: an access token for curl."""

from datetime import datetime
from typing import Annotated

import typer

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import note, run, say, say_json


def token(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with the moment the token ends")] = False,
) -> None:
    """Print an access token of the operator, for `curl -H "Authorization: Bearer $(certrail token)" …`."""
    value, ends = run(_token())
    if as_json:
        say_json({"access_token": value, "ends_at": ends})
    else:
        say(value)
        note(f"valid until {ends:%H:%M:%S} UTC")


async def _token() -> tuple[str, datetime]:
    async with operator_client(Access.load()) as client:
        return await client.token()
