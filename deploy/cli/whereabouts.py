"""Where to look at a running platform, and how to stop it."""

from deploy.broker.definitions import OPERATOR
from deploy.cli.access import Access
from deploy.cli.console import say
from deploy.local.settings import LOOPBACK
from libs.common.events import SERVICES


def show_whereabouts(access: Access) -> None:
    """Print addresses for people."""
    state = access.local.state_dir
    lines = [
        *_api_lines(access),
        ("sent mail", f"http://{LOOPBACK}:{access.local.ports.inbox}"),
        ("broker", f"{access.management_address} (user {OPERATOR}, password: amqp/{OPERATOR} in {state}/secrets.json)"),
        ("logs", f"{state}/run"),
        ("look on", "certrail status, certrail events tail, certrail rejected, certrail parked list"),
        ("stop", "certrail down (or make stop); the data stay"),
    ]
    say("")
    for name, text in lines:
        say(f"{name:<10} {text}")


def _api_lines(access: Access) -> list[tuple[str, str]]:
    gateway = access.gateway_url
    specs = [access.api_url(service) + "/openapi.json" for service in SERVICES]
    if gateway is None:
        return [("API docs" if spec is specs[0] else "", spec) for spec in specs]
    return [("gateway", gateway), ("API docs", f"{gateway}/docs/")]
