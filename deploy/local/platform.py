"""The whole platform on one machine: servers, services, mail catcher and gateway as processes of their own."""

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from joserfc.jwk import OKPKey

from deploy.gateway.nginx import local_upstreams, nginx_binary, start_gateway, stop_gateway
from deploy.local import field_keys
from deploy.local.processes import POLL_SECONDS, ServerProcess, StartError, log_tail, recorded, spawn
from deploy.local.secret_store import write_private
from deploy.local.servers import LocalServers, Report, start_servers, stop_servers
from deploy.local.settings import LOOPBACK, PROJECT, LocalSettings
from deploy.processes import APPS, PORTAL
from libs.common.events import SERVICES
from libs.common.ids import new_id

PROGRAMS = PROJECT / "deploy" / "programs"
VENDORS = PROJECT / "deploy" / "vendors"
READY_SECONDS = 60.0
SERVICE_STOP_SECONDS = 30.0
MAIL_CATCHER = "mailcatcher"


@dataclass(frozen=True)
class Child:
    """A process of the platform beside the servers."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready_url: str


async def start_platform(settings: LocalSettings, report: Report) -> LocalServers:
    """Start everything that does not run yet, and wait until all of it can work.

    Raises:
        StartError: something did not come up.
    """
    site = settings.state_dir / "site"
    # Written while the servers start: they mostly wait.
    servers, _ = await asyncio.gather(start_servers(settings, report), _write_pages(settings, site))
    children = [
        _mail_catcher(settings),
        *(_service(settings, servers, service) for service in SERVICES),
        _portal(settings, servers),
    ]
    for child in children:
        _start(settings, child)
    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(_until_ready(settings, session, child) for child in children))
    report(f"services are ready: {', '.join(APPS)}")
    if nginx_binary() is None:
        report("no gateway: nginx is not installed, so each service answers on its own port")
    else:
        upstreams = local_upstreams(settings.ports)
        await start_gateway(settings.state_dir / "gateway", settings.ports.gateway, upstreams, site)
        report(f"gateway on port {settings.ports.gateway}")
    return servers


async def _write_pages(settings: LocalSettings, site: Path) -> None:
    """The reference and the guides, for the gateway."""
    if nginx_binary() is not None:
        # Every service's code is loaded for it: more than a second, which every command would take.
        from deploy.gateway.reference import write_site  # noqa: PLC0415

        await asyncio.to_thread(write_site, site, inbox=f"http://{LOOPBACK}:{settings.ports.inbox}/")


async def stop_platform(settings: LocalSettings) -> list[str]:
    """Stop whatever runs, in the order that loses nothing; the names of what did run."""
    stopped: list[str] = []
    if await stop_gateway(settings.state_dir / "gateway"):
        stopped.append("gateway")
    stopped += await stop_apps(settings, APPS)
    if (catcher := child_process(settings, MAIL_CATCHER)) is not None:
        await catcher.terminate(patience=SERVICE_STOP_SECONDS)
        stopped.append(MAIL_CATCHER)
    return [*stopped, *await stop_servers(settings.state_dir)]


async def stop_apps(settings: LocalSettings, names: Iterable[str]) -> list[str]:
    """Stop services or the portal, and nothing else; the names of those that did run."""
    running = {name: process for name in names if (process := child_process(settings, name))}
    await asyncio.gather(*(process.terminate(patience=SERVICE_STOP_SECONDS) for process in running.values()))
    return list(running)


def child_process(settings: LocalSettings, name: str) -> ServerProcess | None:
    """The running process of a service or of the mail catcher."""
    return recorded(_run_dir(settings) / f"{name}.pid")


def log_file(settings: LocalSettings, name: str) -> Path:
    return _run_dir(settings) / f"{name}.log"


def _run_dir(settings: LocalSettings) -> Path:
    folder = settings.state_dir / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _start(settings: LocalSettings, child: Child) -> None:
    if child_process(settings, child.name) is not None:
        return
    environment = {**_inherited(), **child.environment}
    process = spawn(child.command, log=log_file(settings, child.name), environment=environment, folder=PROJECT)
    process.record(_run_dir(settings) / f"{child.name}.pid")


def _inherited() -> dict[str, str]:
    """What a child needs of our environment, without settings of ours that are not meant for it."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CERTRAIL_")}


async def _until_ready(settings: LocalSettings, session: aiohttp.ClientSession, child: Child) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + READY_SECONDS
    while not await _answers(session, child.ready_url):
        gone = child_process(settings, child.name) is None
        if gone or loop.time() > deadline:
            what = "stopped" if gone else f"was not ready after {READY_SECONDS:.0f} s"
            raise StartError(f"{child.name} {what}:\n{log_tail(log_file(settings, child.name))}")
        await asyncio.sleep(POLL_SECONDS)


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
            return answer.status == 200  # noqa: PLR2004 OK
    except (aiohttp.ClientError, TimeoutError):
        return False


def _mail_catcher(settings: LocalSettings) -> Child:
    ports = settings.ports
    options = ("--smtp-port", str(ports.smtp), "--http-port", str(ports.inbox))
    data = str(settings.state_dir / "inbox")
    return Child(
        MAIL_CATCHER,
        (sys.executable, "-m", "deploy.mailcatcher", *options, "--data", data),
        {},
        f"http://{LOOPBACK}:{ports.inbox}/healthz",
    )


def _service(settings: LocalSettings, servers: LocalServers, service: str) -> Child:
    return Child(
        service,
        (sys.executable, "-m", f"services.{service}"),
        service_environment(settings, servers, service),
        f"http://{LOOPBACK}:{settings.ports.internal(service)}/readyz",
    )


def _portal(settings: LocalSettings, servers: LocalServers) -> Child:
    ports = settings.ports
    environment = {
        "CERTRAIL_MONGO_URL": servers.mongo_url(PORTAL),
        "CERTRAIL_PROGRAMS_DIR": str(PROGRAMS),
        "CERTRAIL_PORTAL_SECRET": servers.secrets.get("portal/secret"),
        "CERTRAIL_API_PORT": str(ports.api(PORTAL)),
        "CERTRAIL_INTERNAL_PORT": str(ports.internal(PORTAL)),
        "CERTRAIL_PUBLIC_URL": f"http://{LOOPBACK}:{ports.gateway}",
        "CERTRAIL_JWKS_URL": f"http://{LOOPBACK}:{ports.api('identity')}/api/identity/v1/jwks.json",
        "PYTHONUNBUFFERED": "1",
    }
    environment |= {
        f"CERTRAIL_{service.upper()}_URL": f"http://{LOOPBACK}:{ports.api(service)}" for service in SERVICES
    }
    return Child(
        PORTAL,
        (sys.executable, "-m", "services.portal"),
        environment,
        f"http://{LOOPBACK}:{ports.internal(PORTAL)}/readyz",
    )


def service_environment(
    settings: LocalSettings, servers: LocalServers, service: str, *, process: int = 0
) -> dict[str, str]:
    """The variables of a service's `process`-th process on this machine."""
    ports = settings.ports
    environment = {
        "CERTRAIL_MONGO_URL": servers.mongo_url(service),
        "CERTRAIL_AMQP_URL": servers.amqp_url(service),
        "CERTRAIL_PROGRAMS_DIR": str(PROGRAMS),
        "CERTRAIL_ERASURE_KEY": servers.secrets.get(f"erasure/{service}"),
        "CERTRAIL_API_PORT": str(ports.api(service) if process == 0 else 0),
        "CERTRAIL_INTERNAL_PORT": str(ports.internal(service, process)),
        "CERTRAIL_PUBLIC_URL": f"http://{LOOPBACK}:{ports.gateway}",
        "CERTRAIL_JWKS_URL": f"http://{LOOPBACK}:{ports.api('identity')}/api/identity/v1/jwks.json",
        "PYTHONUNBUFFERED": "1",
    }
    if service == "identity":
        environment["CERTRAIL_SIGNING_KEYS_FILE"] = str(_signing_keys(settings.state_dir))
        environment["CERTRAIL_SIGNING_KEYS_SECRET"] = servers.secrets.get("identity/signing-keys")
        environment["CERTRAIL_OPERATOR_SECRET"] = servers.secrets.get("client/operator")
        openid_secrets = settings.state_dir / "openid-secrets.json"
        if openid_secrets.exists():
            environment["CERTRAIL_OPENID_SECRETS_FILE"] = str(openid_secrets)
    if service == "certs":
        environment["CERTRAIL_CERTS_KEYS_SECRET"] = servers.secrets.get("certs/keys")
    if service in field_keys.HOLDERS:
        environment["CERTRAIL_FIELD_KEYS_DIR"] = str(field_keys.folder_of(settings.state_dir, service))
    if service in {"exams", "fulfillment"}:
        environment["CERTRAIL_VENDORS_DIR"] = str(VENDORS)
        environment["CERTRAIL_VENDOR_SECRETS_DIR"] = str(settings.state_dir / "vendor-secrets")
    if service == "exams":
        environment["CERTRAIL_CREDENTIALS_SECRET"] = servers.secrets.get("exams/credentials")
        secrets = settings.state_dir / "vendor-secrets"
        secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
        sign_on = secrets / "vue-sign-on"
        if not sign_on.exists():
            write_private(sign_on, f"local {servers.secrets.get('exams/vue-sign-on')}\n")
        files = settings.state_dir / "vendor-files"
        for vendor in VENDORS.glob("*.yaml"):
            (files / vendor.stem).mkdir(mode=0o700, parents=True, exist_ok=True)
        environment["CERTRAIL_EXAMS_FEEDS_DIR"] = str(files)
    if service == "notify":
        environment["CERTRAIL_SMTP_HOST"] = LOOPBACK
        environment["CERTRAIL_SMTP_PORT"] = str(ports.smtp)
        environment["CERTRAIL_HOOKS_SECRET"] = servers.secrets.get("notify/hooks")
        # Whoever tries hooks out has their receiver on this machine too.
        environment["CERTRAIL_HOOKS_PRIVATE_NETWORKS"] = "127.0.0.0/8"
    return environment


def _signing_keys(folder: Path) -> Path:
    """The file of the keys that identity begins with; made once."""
    path = folder / "signing-keys.json"
    if not path.exists():
        key = OKPKey.generate_key("Ed25519", {"kid": new_id(), "alg": "Ed25519"}, private=True)
        write_private(path, json.dumps({"keys": [key.as_dict(private=True)]}))
    return path
