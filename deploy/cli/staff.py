"""`certrail staff`: what the program's staff decide about a candidate's certifications.

Who the staff are is in `staff_accounts`.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import note, output, run, say, say_json, table
from libs.common.ids import new_id

app = typer.Typer(no_args_is_help=True, help="Who works for a program, and what they decide.")

_PAGE = 100


class Kind(StrEnum):
    """What can be decided."""

    GRANT = "grant"
    REVOKE = "revoke"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    EXTEND = "extend"
    EMERITUS = "emeritus"


Program = Annotated[str, typer.Option(help="The program's id")]
Candidate = Annotated[str, typer.Option(help="The candidate's id")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]


def _day(text: str) -> Any:
    return typer.Option(formats=["%Y-%m-%d"], help=text)


@app.command()
def decide(
    kind: Annotated[Kind, typer.Argument(help="What is decided")],
    *,
    program: Program,
    candidate: Candidate,
    certification: Annotated[str, typer.Option(help="The certification's id")],
    reason: Annotated[str, typer.Option(help="Why, in words for the candidate, who reads them")],
    on: Annotated[datetime | None, _day("Day from which it counts; today unless given")] = None,
    until: Annotated[datetime | None, _day("Last active day, of an extension or a grant")] = None,
    paid_on: Annotated[datetime | None, _day("Day on which a year of emeritus was paid")] = None,
    as_json: AsJson = False,
) -> None:
    """Grant, revoke, suspend, reinstate or extend a certification, or grant a year of emeritus.

    What would change nothing is refused, and nothing is recorded then.
    """
    days = {"on": on, "until": until, "paid_on": paid_on}
    body = {
        "kind": kind.value,
        "certification": certification,
        "reason": reason,
        **{name: day.date().isoformat() for name, day in days.items() if day is not None},
    }
    made = run(_decide(Access.load(), _path(program, candidate), body))
    if as_json:
        say_json(made)
        return
    note(f"recorded as {made['decision']['decision_id']}")
    now = made["now"]
    say(f"{now['certification']} is {now['status']}: {now['text']}" if now else "it is not held until that day")


@app.command()
def decisions(program: Program, candidate: Candidate, as_json: AsJson = False) -> None:
    """List what was decided about a candidate, by whom, when and why, the newest first."""
    rows = run(_decisions(Access.load(), _path(program, candidate)))
    if as_json:
        say_json(rows)
        return
    if not rows:
        note("nothing was decided")
        return
    made = table("decided at", "by", "what", "certification", "on", "until", "paid on", "reason")
    for row in rows:
        shown = (
            row["decided_at"][:19],
            *(row[name] for name in ("decided_by", "kind", "certification", "on", "until", "paid_on", "reason")),
        )
        made.add_row(*(Text(value or "") for value in shown))
    output().print(made)


def _path(program: str, candidate: str) -> str:
    return f"/programs/{quote(program, safe='')}/candidates/{quote(candidate, safe='')}/decisions"


async def _decide(access: Access, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with operator_client(access) as client:
        made: dict[str, Any] = await client.post("certs", path, body, key=new_id())
        return made


async def _decisions(access: Access, path: str) -> list[dict[str, Any]]:
    async with operator_client(access) as client:
        return [row async for row in client.pages("certs", path, limit=_PAGE)]
