"""`certrail keys`: the keys that sign access tokens."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import note, output, run, say_json, table

app = typer.Typer(no_args_is_help=True, help="Change the keys that sign access tokens, without an interruption.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]

Row = dict[str, Any]


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """List the published keys: which signs, which is to follow, which verifies its last tokens."""
    _show(run(_ask("GET")), as_json=as_json)


@app.command()
def rotate(as_json: AsJson = False) -> None:
    """Publish a new key, which signs in 20 minutes; nothing else has to be done."""
    _show(run(_ask("POST")), as_json=as_json)


@app.command()
def withdraw(kid: Annotated[str, typer.Argument(help="The key's id")]) -> None:
    """Take a leaked key away at once; every token that it signed ends, and another key signs."""
    run(_withdraw(kid))
    note(f"{kid} is gone; services forget it within ten minutes, at once if they are restarted")


def _show(rows: list[Row], *, as_json: bool) -> None:
    if as_json:
        say_json(rows)
        return
    made = table("key", "state", "published at", "signs from", "removed at")
    for row in rows:
        times = ((row[name] or "")[:19] for name in ("published_at", "signs_from", "retires_at"))
        made.add_row(row["kid"], row["state"], *times)
    output().print(made)


async def _ask(method: str) -> list[Row]:
    async with operator_client(Access.load()) as client:
        page = await client.change(method, "identity", "/signing-keys")
        rows: list[Row] = page["items"]
        return rows


async def _withdraw(kid: str) -> None:
    async with operator_client(Access.load()) as client:
        await client.change("DELETE", "identity", f"/signing-keys/{quote(kid, safe='')}")
