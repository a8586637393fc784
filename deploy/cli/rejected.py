"""`certrail rejected`: vendors' messages that were refused, and why."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer

from deploy.cli.access import Access
from deploy.cli.client import OperatorClient, operator_client
from deploy.cli.console import note, run, say, say_json

_POLL_SECONDS = 2.0
_PAGE = 100
_MOST = 10_000


def rejected(
    *,
    vendor: Annotated[str | None, typer.Option(help="Only this vendor's")] = None,
    code: Annotated[str | None, typer.Option(help="Only those refused with this code, like schema")] = None,
    limit: Annotated[int, typer.Option(min=1, max=_MOST, help="How many, the latest first")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes; Ctrl-C ends it")] = False,
    original: Annotated[
        bool, typer.Option("--original", help="Show the messages themselves, which may hold personal data")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line")] = False,
) -> None:
    """List refused messages with the reasons that their vendors were given."""
    run(_list(Access.load(), vendor, code, limit, follow=follow, original=original, as_json=as_json))


async def _list(
    access: Access, vendor: str | None, code: str | None, limit: int, *, follow: bool, original: bool, as_json: bool
) -> None:
    async with operator_client(access) as client:
        found = [row async for row in _latest(client, vendor, code, limit)]
        for row in reversed(found):
            _show(row, original=original, as_json=as_json)
        if not found and not follow:
            note("nothing was rejected")
        seen = {row["rejection_id"] for row in found}
        while follow:
            await asyncio.sleep(_POLL_SECONDS)
            fresh = await _fresh(client, vendor, code, seen)
            for row in reversed(fresh):
                _show(row, original=original, as_json=as_json)


async def _latest(
    client: OperatorClient, vendor: str | None, code: str | None, limit: int
) -> AsyncIterator[dict[str, Any]]:
    count = 0
    async for row in client.pages("exams", "/rejections", **_query(vendor)):
        if _has_code(row, code):
            yield row
            count += 1
        if count == limit:
            return


async def _fresh(client: OperatorClient, vendor: str | None, code: str | None, seen: set[str]) -> list[dict[str, Any]]:
    """Those before the first known one; `seen` learns them."""
    fresh: list[dict[str, Any]] = []
    async for row in client.pages("exams", "/rejections", **_query(vendor)):
        if row["rejection_id"] in seen or len(fresh) == _MOST:
            break
        if _has_code(row, code):
            fresh.append(row)
    seen.update(row["rejection_id"] for row in fresh)
    return fresh


def _query(vendor: str | None) -> dict[str, str | int]:
    return {"limit": _PAGE, **({"vendor": vendor} if vendor else {})}


def _has_code(row: dict[str, Any], code: str | None) -> bool:
    return code is None or any(reason["code"] == code for reason in row["reasons"])


def _show(row: dict[str, Any], *, original: bool, as_json: bool) -> None:
    if as_json:
        say_json(row if original else {key: row[key] for key in row if key != "original"}, indent=False)
        return
    at, vendor, key = row["rejected_at"][:19], row["vendor"], row["routing_key"]
    for reason in row["reasons"]:
        path = f"{reason['path']}: " if reason["path"] else ""
        say(f"{at}  {vendor}  {key}  {row['message_id'] or '-'}  {reason['code']}  {path}{reason['message']}")
    if original:
        say(f"    {row['original']}{' … (cut off)' if row['truncated'] else ''}")
