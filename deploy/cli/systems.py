"""`certrail systems`: programs of other people that use the API, and their secrets."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from deploy.cli.access import Access
from deploy.cli.client import operator_client
from deploy.cli.console import note, output, run, say, say_json, table

app = typer.Typer(no_args_is_help=True, help="Give systems access to the API, and change their secrets.")

Program = Annotated[str, typer.Option(help="The program's id")]
ClientId = Annotated[str, typer.Argument(help="The system's client id")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]


@app.command()
def add(
    description: Annotated[str, typer.Argument(help="Whose it is and what for")],
    *,
    program: Program,
    scope: Annotated[list[str], typer.Option(help="What it may do; repeat it. See docs/api.md for the scopes")],
    as_json: AsJson = False,
) -> None:
    """Make a system, and print its client id and its secret, which is shown this once."""
    body = {"description": description, "scopes": scope}
    _say_secret(run(_change(Access.load(), "POST", _path(program), body)), as_json=as_json)


@app.command("list")
def list_systems(program: Program, as_json: AsJson = False) -> None:
    """List a program's systems, and when each was last used."""
    rows = run(_list(Access.load(), program))
    if as_json:
        say_json(rows)
        return
    made = table("client id", "description", "scopes", "secrets", "last used", "made by", numbers=("secrets",))
    for row in rows:
        secrets = "disabled" if row["disabled_at"] else str(len(row["secrets"]))
        shown = (
            row["description"],
            " ".join(row["scopes"]),
            secrets,
            row["last_used_on"] or "never",
            row["created_by"],
        )
        made.add_row(row["client_id"], *map(Text, shown))
    output().print(made)


@app.command()
def rotate(
    client_id: ClientId,
    *,
    program: Program,
    old_works_days: Annotated[
        int, typer.Option(help="Days that the secret of before goes on; 0 where it has leaked", min=0, max=30)
    ] = 7,
    as_json: AsJson = False,
) -> None:
    """Print a new secret, shown this once; the one of before goes on for a while."""
    path = f"{_path(program, client_id)}/secrets"
    _say_secret(run(_change(Access.load(), "POST", path, {"old_works_days": old_works_days})), as_json=as_json)


@app.command()
def disable(client_id: ClientId, program: Program) -> None:
    """End a system for good; its last access tokens run out within 15 minutes."""
    run(_change(Access.load(), "DELETE", _path(program, client_id)))
    note(f"{client_id} gets no token any more")


def _say_secret(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(made)
        return
    say(f"client id      {made['client_id']}")
    say(f"client secret  {made['client_secret']}")
    note("the secret is not kept anywhere: note it now")


def _path(program: str, client_id: str | None = None) -> str:
    path = f"/programs/{quote(program, safe='')}/systems"
    return path if client_id is None else f"{path}/{quote(client_id, safe='')}"


async def _change(access: Access, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    async with operator_client(access) as client:
        made: dict[str, Any] = await client.change(method, "identity", path, body)
        return made


async def _list(access: Access, program: str) -> list[dict[str, Any]]:
    async with operator_client(access) as client:
        return [row async for row in client.pages("identity", _path(program))]
