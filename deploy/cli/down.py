"""`certrail down`: stops what `certrail up` has started."""

from deploy.cli.console import note, run, say
from deploy.local.platform import stop_platform
from deploy.local.settings import LocalSettings


def down() -> None:
    """Stop the platform on this machine, in the order that loses nothing. Its data stay."""
    settings = LocalSettings.load()
    note("stopping: messages in hand are finished first")
    stopped = run(stop_platform(settings))
    if not stopped:
        say("nothing was running")
        return
    say(f"stopped: {', '.join(stopped)}")
    say(f"the data stay in {settings.state_dir}")
