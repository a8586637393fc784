"""The `certrail` command: the operator's command line."""

import sys
from typing import NoReturn

import typer

from deploy.cli import audit, events, keys, parked, programs, staff, systems, vendors
from deploy.cli.backup import backup, backups
from deploy.cli.capacity import capacity
from deploy.cli.console import notes, quiet_libraries
from deploy.cli.doctor import doctor
from deploy.cli.down import down
from deploy.cli.errors import explained
from deploy.cli.event_replay import replay
from deploy.cli.feed import feed
from deploy.cli.program_changes import dry_run, publish
from deploy.cli.reconcile import reconcile
from deploy.cli.rejected import rejected
from deploy.cli.restore import restore
from deploy.cli.simulate import simulate
from deploy.cli.staff_accounts import add, disable, invite, list_staff, roles
from deploy.cli.status import status
from deploy.cli.token import token
from deploy.cli.trace import trace
from deploy.cli.up import up

app = typer.Typer(
    name="certrail",
    help="Runs Certrail on this machine, and looks after a Certrail anywhere.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(feed)
app.add_typer(parked.app, name="parked")
app.command()(rejected)
app.add_typer(events.app, name="events")
events.app.command()(replay)
app.add_typer(programs.app, name="programs")
programs.app.command("dry-run")(dry_run)
programs.app.command()(publish)
app.command()(simulate)
app.add_typer(staff.app, name="staff")
staff.app.command("list")(list_staff)
for command in (add, roles, invite, disable):
    staff.app.command()(command)
app.add_typer(systems.app, name="systems")
app.add_typer(vendors.app, name="vendors")
vendors.app.command()(reconcile)
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.command()(trace)
app.command()(token)
app.command()(capacity)
app.command()(backup)
app.command()(backups)
app.command()(restore)
app.command()(doctor)


def main() -> NoReturn:
    """Run the command line; a fault of the surroundings ends it with words and a status, not with a traceback."""
    quiet_libraries()
    try:
        app(prog_name="certrail")
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has seen enough
        raise SystemExit(0) from None
    except Exception as error:
        fault = explained(error)
        if fault is None:
            raise
        console = notes()
        console.print(f"certrail: {fault}", style="red", markup=False, soft_wrap=True)
        if fault.hint:
            console.print(f"          {fault.hint}", markup=False, soft_wrap=True)
        raise SystemExit(fault.status) from None
    raise SystemExit(0)
