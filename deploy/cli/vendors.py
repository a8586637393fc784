"""`certrail vendors`: let a vendor in on the bus and over HTTPS, change its secrets, take it out, look at all."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from deploy.broker.definitions import broker_users
from deploy.cli.access import Access
from deploy.cli.client import OperatorClient, operator_client
from deploy.cli.console import note, output, run, say, say_json, table
from deploy.cli.errors import CliError
from deploy.local.secret_store import write_private
from deploy.local.settings import PROJECT
from libs.common.bus import topology

app = typer.Typer(no_args_is_help=True, help="Let vendors in, change their secrets, take them out, look at them.")

DEFINITIONS = PROJECT / "deploy" / "vendors"
_WARNED = "secrets are shown this once: note them now"


class Credential(StrEnum):
    """What a vendor proves itself by over HTTPS."""

    TOKEN = "token"  # noqa: S105 a kind, no token
    SIGNING_SECRET = "signing-secret"  # noqa: S105 likewise

    @property
    def kind(self) -> str:
        return self.value.replace("-", "_")


Name = Annotated[str, typer.Argument(help="The vendor's name on the bus: small letters and digits")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
PasswordFile = Annotated[
    Path | None, typer.Option(help="Write the broker password there, for the owner only, instead of showing it")
]


@app.command()
def add(
    name: Name,
    *,
    program: Annotated[
        list[str] | None, typer.Option(help="Whose exams it delivers; repeat it. All programs unless given")
    ] = None,
    credential: Annotated[
        list[Credential] | None, typer.Option(help="What it notifies with over HTTPS; repeat it")
    ] = None,
    password_file: PasswordFile = None,
    definitions: Annotated[Path, typer.Option(help="Folder of the vendors' definitions")] = DEFINITIONS,
    as_json: AsJson = False,
) -> None:
    """Give a vendor its broker user, its queue of rejections and its credentials; what is there already stays."""
    _check_name(name)
    access = Access.load()
    wanted = credential or [Credential.TOKEN]
    done, found = run(_add(access, name, program, wanted))
    _write_definition(definitions, name, found["programs"], done)
    _show(access, name, found | {"done": done}, password_file, as_json=as_json)


@app.command()
def rotate(
    name: Name,
    *,
    broker: Annotated[bool, typer.Option("--broker", help="A new broker password; the old one ends at once")] = False,
    credential: Annotated[
        list[Credential] | None, typer.Option(help="A new one beside that of before; repeat it")
    ] = None,
    old_works_hours: Annotated[
        int, typer.Option(min=0, max=720, help="Hours that the credential of before goes on; 0 where it has leaked")
    ] = 24,
    password_file: PasswordFile = None,
    as_json: AsJson = False,
) -> None:
    """Give a vendor new secrets."""
    _check_name(name)
    if not broker and not credential:
        raise CliError("nothing to change", hint="name it: --broker, --credential token, --credential signing-secret")
    access = Access.load()
    found = run(_rotate(access, name, credential or [], old_works_hours, broker=broker))
    _show(access, name, found, password_file, as_json=as_json)


@app.command()
def remove(
    name: Name,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also while rejections wait that it has not read")] = False,
) -> None:
    """End a vendor's broker user and credentials. What it has said stays, and so does its queue of rejections."""
    _check_name(name)
    for line in run(_remove(Access.load(), name, force=force)):
        note(line)


@app.command("list")
def list_vendors(as_json: AsJson = False) -> None:
    """List vendors: when last heard, what became of their messages, how many rejections they have not read."""
    rows = run(_list(Access.load()))
    if as_json:
        say_json(rows)
        return
    numbers = ("today", "refused today", "in all", "refused in all", "rejections waiting")
    made = table("vendor", "state", "programs", "last heard", *numbers, numbers=numbers)
    for row in rows:
        counts = [str(part) for name in ("today", "in_all") for part in _summed(row[name])]
        waiting = "-" if row["rejections_waiting"] is None else str(row["rejections_waiting"])
        texts = (row["vendor"], row["state"], " ".join(row["programs"]), (row["last_heard_at"] or "never")[:19])
        made.add_row(*map(Text, (*texts, *counts, waiting)))
    output().print(made)


async def _add(
    access: Access, name: str, programs: Sequence[str] | None, wanted: Sequence[Credential]
) -> tuple[list[str], dict[str, Any]]:
    """What was done and what was there, in words; and what the vendor needs to know."""
    done: list[str] = []
    found: dict[str, Any] = {"password": None, "credentials": {}}
    broker = access.broker_administrator
    async with operator_client(access) as client:
        known = await _known(client, name)
        chosen = programs or (known or {}).get("programs") or await client.programs()
        vendor = await client.change("PUT", "exams", _path(name), {"programs": list(chosen)})
        found["programs"] = vendor["programs"]
        if await broker.has_user(name):
            done.append(f"broker user {name}: was there")
        else:
            found["password"] = _new_password(access, name)
            await broker.add_vendor(name, found["password"])
            done.append(f"broker user {name} and queue {topology.rejections_queue(name)}: made")
        for each in wanted:
            if vendor[f"{each.kind}s"]:
                done.append(f"{each.value}: was there")
                continue
            found["credentials"][each.kind] = await _renewed(client, name, each, 0)
            done.append(f"{each.value}: made")
    return done, found


async def _rotate(
    access: Access, name: str, wanted: Sequence[Credential], old_works_hours: int, *, broker: bool
) -> dict[str, Any]:
    found: dict[str, Any] = {"password": None, "credentials": {}}
    # What cannot be done is found before anything is: a new secret is shown once, at the end.
    if broker and not await access.broker_administrator.has_user(name):
        raise CliError(f"the broker has no user {name}", hint="`certrail vendors add` makes it")
    async with operator_client(access) as client:
        for each in wanted:
            found["credentials"][each.kind] = await _renewed(client, name, each, old_works_hours)
    if broker:
        administrator = access.broker_administrator
        found["password"] = _new_password(access, name)
        await administrator.add_vendor(name, found["password"])
    return found


async def _remove(access: Access, name: str, *, force: bool) -> list[str]:
    broker, done = access.broker_administrator, []
    waiting = (await broker.queue_lengths()).get(topology.rejections_queue(name), 0)
    if waiting and not force:
        raise CliError(f"{waiting} rejections wait that {name} has not read", hint="--force removes it all the same")
    async with operator_client(access) as client:
        if await _known(client, name) is not None:
            await client.change("DELETE", "exams", _path(name))
            done.append(f"credentials of {name} ended")
    if await broker.has_user(name):
        await broker.remove_user(name)
        done.append(f"broker user {name} is gone")
    if access.kept_passwords is not None:
        access.kept_passwords.forget(f"amqp/{name}")
    if not done:
        raise CliError(f"there is no vendor {name}", hint="`certrail vendors list` shows who there is")
    return done


async def _list(access: Access) -> list[dict[str, Any]]:
    lengths = await access.management.queue_lengths()
    async with operator_client(access) as client:
        rows = {row["vendor"]: row async for row in client.pages("exams", "/vendors")}
    suffix = topology.rejections_queue("")
    for name in (queue.removesuffix(suffix) for queue in lengths if queue.endswith(suffix)):
        rows.setdefault(name, {"vendor": name, "state": "broker_only", "programs": [], **_NEVER_HEARD})
    return [{**rows[name], "rejections_waiting": lengths.get(topology.rejections_queue(name))} for name in sorted(rows)]


_NEVER_HEARD: Mapping[str, Any] = {
    "tokens": [],
    "signing_secrets": [],
    "last_heard_at": None,
    "today": [],
    "in_all": [],
}


async def _known(client: OperatorClient, name: str) -> dict[str, Any] | None:
    """The vendor, where it has or had credentials."""
    async for row in client.pages("exams", "/vendors"):
        if row["vendor"] == name and row["state"] != "broker_only":
            return row
    return None


async def _renewed(client: OperatorClient, name: str, credential: Credential, old_works_hours: int) -> str:
    body = {"kind": credential.kind, "old_works_hours": old_works_hours}
    made = await client.change("POST", "exams", f"{_path(name)}/credentials", body)
    return str(made["secret"])


def _new_password(access: Access, name: str) -> str:
    """A broker password; a platform of this machine keeps it, so that a restart does."""
    kept = access.kept_passwords
    return token_urlsafe(24) if kept is None else kept.renew(f"amqp/{name}")


def _path(name: str) -> str:
    return f"/vendors/{quote(name, safe='')}"


def _check_name(name: str) -> None:
    if not topology.VENDOR_NAME.fullmatch(name):
        raise CliError(f"a vendor's name is {topology.VENDOR_NAME.pattern}, not {name!r}")
    if name in broker_users(()):
        raise CliError(f"a vendor cannot be called {name!r}: that name is taken")


def _write_definition(folder: Path, name: str, programs: Sequence[str], done: list[str]) -> None:
    path = folder / f"{name}.yaml"
    if path.exists():
        done.append(f"definition {path}: was there")
        return
    if not folder.is_dir():
        done.append(f"definition: not written, there is no folder {folder}")
        return
    listed = "".join(f"  - {program}\n" for program in programs)
    path.write_text(f"# See docs/vendors.md.\nid: {name}\nname: {name}\nprograms:\n{listed}time_zone: UTC\n")
    done.append(f"definition {path}: written; exams reads it when it starts")


def _show(access: Access, name: str, found: dict[str, Any], password_file: Path | None, *, as_json: bool) -> None:
    """The secrets, and how to connect with them."""
    secret = found["password"]
    if secret is not None and password_file is not None:
        write_private(password_file, secret)
        found["password"] = None
        note(f"the broker password is in {password_file}")
    gateway = access.api_url("exams")
    where = {
        "vendor": name,
        "broker": access.broker_address,
        "exchange": topology.VENDORS,
        "rejections": topology.rejections_queue(name),
        "notifications": f"{gateway}{_path(name)}/notifications",
    }
    if as_json:
        say_json(where | found)
        return
    for line in found.get("done", ()):
        note(line)
    shown = where | {"broker password": found["password"]} | found["credentials"]
    for word, text in shown.items():
        if text is not None:
            say(f"{word.replace('_', ' '):<16} {text}")
    if found["password"] or found["credentials"]:
        note(_WARNED)


def _summed(counts: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Messages that were taken, and that were refused; dry runs are neither."""
    real = [each for each in counts if each["channel"] != "dry_run"]
    refused = sum(each["count"] for each in real if each["verdict"] == "refused")
    return sum(each["count"] for each in real) - refused, refused
