"""`certrail staff add`, `list`, `roles`, `invite`, `disable`: who works for which program, in which roles."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from deploy.cli.access import Access
from deploy.cli.client import OperatorClient, operator_client
from deploy.cli.console import note, output, run, say_json, table
from deploy.cli.errors import CliError

Email = Annotated[str, typer.Argument(help="The person's e-mail address")]
Roles = Annotated[
    list[str], typer.Option("--role", help="program:role, as cisco:support; repeat it. See docs/api.md for the roles")
]
Programs = Annotated[list[str] | None, typer.Option("--program", help="The program's id; all of them unless given")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]

Row = dict[str, Any]


def add(email: Email, *, name: Annotated[str, typer.Option(help="The person's name")], role: Roles) -> None:
    """Give somebody roles, and an invitation by mail where they have no account yet."""
    run(_add(Access.load(), email, name, _by_program(role)))
    note(f"{email} has their roles; a mail invites whoever has no account yet")


def list_staff(program: Programs = None, as_json: AsJson = False) -> None:
    """List who works for the programs, in which roles, and whether they have opened their account."""
    rows = run(_list(Access.load(), program))
    if as_json:
        say_json(rows)
        return
    made = table("program", "e-mail", "name", "roles", "since", "account id")
    for row in rows:
        opened = (row["activated_at"] or "invited")[:10]
        made.add_row(
            *map(Text, (row["program"], row["email"], row["name"], " ".join(row["roles"]), opened)), row["staff_id"]
        )
    output().print(made)


def roles(email: Email, *, role: Roles) -> None:
    """Give somebody other roles in the programs named; they hold within 15 minutes."""
    run(_set_roles(Access.load(), email, _by_program(role)))
    note(f"{email} has other roles")


def invite(
    email: Email,
    *,
    program: Annotated[str, typer.Option(help="The program in whose name the mail is")],
    forget_second_factor: Annotated[
        bool, typer.Option("--forget-second-factor", help="They lost their app and the recovery codes")
    ] = False,
) -> None:
    """Mail somebody a new link."""
    run(_invite(Access.load(), email, program, forget=forget_second_factor))
    note(f"a link is on its way to {email}")


def disable(email: Email, program: Programs = None) -> None:
    """Take all roles away: sessions end at once, access tokens within 15 minutes."""
    taken = run(_disable(Access.load(), email, program))
    note(f"{email} has no role any more in {', '.join(taken)}")


def _by_program(given: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for text in given:
        program, parted, role = text.partition(":")
        if not (program and parted and role):
            raise CliError(f"--role takes program:role, not {text!r}")
        found[program].append(role)
    return found


def _path(program: str, *parts: str) -> str:
    return "/".join(["/programs", quote(program, safe=""), "staff", *(quote(part, safe="") for part in parts)])


async def _add(access: Access, email: str, name: str, by_program: Mapping[str, list[str]]) -> None:
    async with operator_client(access) as client:
        for program, given in by_program.items():
            body = {"email": email, "name": name, "roles": given}
            await client.change("POST", "identity", _path(program), body)


async def _list(access: Access, programs: list[str] | None) -> list[Row]:
    async with operator_client(access) as client:
        return await _rows(client, programs)


async def _rows(client: OperatorClient, programs: Iterable[str] | None) -> list[Row]:
    chosen = await client.programs() if programs is None else programs
    return [{"program": program, **row} for program in chosen async for row in client.pages("identity", _path(program))]


async def _found(client: OperatorClient, email: str, programs: Iterable[str] | None) -> list[Row]:
    """The person's part in each program. Raises `CliError` where they have none."""
    rows = [row for row in await _rows(client, programs) if row["email"].casefold() == email.casefold()]
    if not rows:
        raise CliError(f"{email} has no role there", hint="`certrail staff list` shows who has")
    return rows


async def _set_roles(access: Access, email: str, by_program: Mapping[str, list[str]]) -> None:
    async with operator_client(access) as client:
        rows = await _found(client, email, by_program)
        if missing := by_program.keys() - {row["program"] for row in rows}:
            raise CliError(
                f"{email} has no role in {', '.join(sorted(missing))}", hint="`certrail staff add` gives one"
            )
        for row in rows:
            path = _path(row["program"], row["staff_id"], "roles")
            await client.change("PUT", "identity", path, {"roles": by_program[row["program"]]})


async def _invite(access: Access, email: str, program: str, *, forget: bool) -> None:
    async with operator_client(access) as client:
        (row,) = await _found(client, email, [program])
        path = _path(program, row["staff_id"], "invitations")
        await client.change("POST", "identity", path, {"forget_second_factor": forget})


async def _disable(access: Access, email: str, programs: list[str] | None) -> list[str]:
    async with operator_client(access) as client:
        rows = await _found(client, email, programs)
        for row in rows:
            await client.change("DELETE", "identity", _path(row["program"], row["staff_id"]))
        return [row["program"] for row in rows]
