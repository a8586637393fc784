"""`certrail down`: stops what `certrail up` has started."""

from typing import Annotated

import typer

from deploy.cli.console import note, run, say
from deploy.local.platform import stop_apps, stop_platform
from deploy.local.settings import LocalSettings
from deploy.processes import APPS


def down(
    service: Annotated[
        list[str] | None, typer.Option("--service", help="Stop this service alone, or `all` of them; servers go on")
    ] = None,
) -> None:
    """Stop the platform on this machine, in the order that loses nothing. Its data stay."""
    settings = LocalSettings.load()
    if unknown := [name for name in service or () if name not in (*APPS, "all")]:
        raise typer.BadParameter(f"{unknown[0]} is none of {', '.join(APPS)}, all", param_hint="--service")
    note("stopping: messages in hand are finished first")
    apps = APPS if service and "all" in service else service
    stopped = run(stop_apps(settings, apps) if apps else stop_platform(settings))
    if not stopped:
        say("nothing was running")
        return
    say(f"stopped: {', '.join(stopped)}")
    say(f"the data stay in {settings.state_dir}")
