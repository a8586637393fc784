"""`certrail keys`: the keys that sign access tokens, and on this machine those that encrypt fields."""

import asyncio
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import aiohttp
import typer

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import note, output, run, say_json, table
from deploy.cli.metrics import read_figures
from deploy.local.field_keys import HOLDERS, add_key
from deploy.local.settings import LocalSettings
from libs.common.clock import SystemClock

_LOOK_SECONDS = 2

app = typer.Typer(no_args_is_help=True, help="Change keys without an interruption.")

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


@app.command()
def fields(
    new: Annotated[bool, typer.Option("--new", help="Begin with a new key for each service")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until nothing is left; may be stopped")] = False,
) -> None:
    """How many encrypted fields lie under an old key, on a platform of this machine; change the keys."""
    run(_fields(LocalSettings.load(), new=new, wait=wait))


async def _fields(local: LocalSettings, *, new: bool, wait: bool) -> None:
    since = SystemClock().now().timestamp()
    for service in HOLDERS if new else ():
        note(f"{service}: new key {add_key(local.state_dir, service)}; remove older ones when nothing is left")
    said: list[str] = []
    async with aiohttp.ClientSession() as session:
        while True:
            lines = [await _left(session, local, service, since if wait else 0) for service in HOLDERS]
            for line in lines:
                if line.text not in said:
                    note(line.text)
            said = [line.text for line in lines]
            if not wait or all(line.done for line in lines):
                return
            await asyncio.sleep(_LOOK_SECONDS)


class _Line(NamedTuple):
    text: str
    done: bool


async def _left(session: aiohttp.ClientSession, local: LocalSettings, service: str, since: float) -> _Line:
    """Where a service is; done when it has looked through all of it once since then, and found nothing left."""
    figures = await read_figures(session, local, service)
    if figures is None:
        return _Line(f"{service}: does not answer", done=False)
    left = int(figures.total("certrail_fields_to_reseal"))
    looked = figures.total("certrail_reseal_round_timestamp_seconds") >= since
    return _Line(f"{service}: {left} left" if looked or left else f"{service}: has not looked yet", looked and not left)


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
