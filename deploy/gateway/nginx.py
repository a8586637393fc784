"""Renders the gateway's configuration and runs nginx with it, apart from any nginx of the machine's own."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from deploy.local.ports import is_listening
from deploy.local.processes import PortTakenError, ServerProcess, StartError, log_tail, recorded, spawn, until
from deploy.local.settings import LOOPBACK, LocalPorts
from deploy.processes import APPS
from libs.common.http import problems

FOLDER = Path(__file__).resolve().parent
SITE = FOLDER / "site"
TEMPLATES = ("nginx.conf", "limits.conf")
PARTS = ("proxy.conf", "headers.conf", "limited.conf")

START_SECONDS = 10
STOP_SECONDS = 10

_SYSTEM_PROGRAMS = "/usr/local/sbin:/usr/sbin:/sbin"
_MIME_TYPES = Path("/etc/nginx/mime.types")


@dataclass(frozen=True)
class Limits:
    """How often may be asked, as nginx writes rates (`10r/s`, `60r/m`), and by whom that is not counted.

    `Retry-After` says five seconds, which is right for every rate from `12r/m` up.

    Attributes:
        sign_in: proofs of who somebody is, by address.
        recover: links asked for and used, by address.
        public: what anybody may read, by address.
        upload: files, by session or access token, else by address.
        signed_in: everything, by session or access token.
        stranger: everything without either, by address.
        address: everything from one address, signed in or not.
        unlimited: networks that are not counted.
        trusted_proxies: load balancers that are believed about where a request comes from.
    """

    sign_in: str = "60r/m"
    recover: str = "30r/m"
    public: str = "5r/s"
    upload: str = "60r/m"
    signed_in: str = "50r/s"
    stranger: str = "20r/s"
    address: str = "300r/s"
    unlimited: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    def values(self) -> dict[str, str]:
        """The placeholders of the rates."""
        rates = ("sign_in", "recover", "public", "upload", "signed_in", "stranger", "address")
        return {f"LIMIT_{name.upper()}": getattr(self, name) for name in rates}


# Whoever reaches a platform on a loopback interface sits at this machine, tests and programs of theirs included.
LOCAL_LIMITS = Limits(unlimited=("127.0.0.0/8",))


@dataclass
class Gateway:
    """A running nginx."""

    port: int
    process: ServerProcess

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    async def stop(self) -> None:
        """Stop it with all its workers."""
        await self.process.terminate(patience=STOP_SECONDS)


def nginx_binary() -> str | None:
    """The machine's nginx, or None; Debian keeps it where only root's PATH looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_PROGRAMS}")


def render(name: str, values: Mapping[str, str]) -> str:
    """A template with its placeholders filled in; nginx's own `$variables` stay."""
    return Template((FOLDER / f"{name}.template").read_text()).safe_substitute(values)


def local_values(
    run_dir: Path, port: int, upstreams: Mapping[str, str], site: Path = SITE, limits: Limits = LOCAL_LIMITS
) -> dict[str, str]:
    """Placeholders for a gateway on this machine's loopback interface.

    Args:
        run_dir: where it keeps its configuration, log and temporary files.
        port: where it listens.
        upstreams: `host:port` of each service's API.
        site: folder of static pages.
        limits: how often may be asked.
    """
    return {
        # Started by root, workers would become somebody who may not see this folder.
        "USER_DIRECTIVE": "user root;" if os.geteuid() == 0 else "",
        "WORKERS": "1",
        "RUN_DIR": str(run_dir),
        "ERROR_LOG": "stderr",
        "LIMITED_LOG": str(run_dir / "limited.log"),
        "MIME_TYPES": str(_MIME_TYPES),
        "LISTEN": f"{LOOPBACK}:{port}",
        "TLS_DIRECTIVES": "",
        "SITE_DIR": str(site),
        "PROBLEM_ROOT": problems.URN,
        **{f"{service.upper()}_UPSTREAM": upstreams[service] for service in APPS},
        **limits.values(),
    }


def local_upstreams(ports: LocalPorts) -> dict[str, str]:
    """Where the local platform's services listen."""
    return {service: f"{LOOPBACK}:{ports.api(service)}" for service in APPS}


async def start_gateway(
    run_dir: Path, port: int, upstreams: Mapping[str, str], site: Path = SITE, limits: Limits = LOCAL_LIMITS
) -> Gateway:
    """Start nginx, or take over the one that runs on `run_dir`, and wait until it listens.

    Raises:
        StartError: there is no nginx, the port is taken, or nginx refuses its configuration.
    """
    values = local_values(run_dir, port, upstreams, site, limits)
    process = recorded(run_dir / "server.pid") or _launch(run_dir, values, limits, port)
    try:
        await until(lambda: is_listening(port) or not process.alive, patience=START_SECONDS)
    except TimeoutError:
        raise StartError(f"nginx was not ready in {START_SECONDS} s:\n{_tail(run_dir)}") from None
    if not process.alive:
        raise StartError(f"nginx ended while starting:\n{_tail(run_dir)}")
    return Gateway(port, process)


async def stop_gateway(run_dir: Path) -> bool:
    """Stop the nginx that runs on `run_dir`; whether there was one."""
    process = recorded(run_dir / "server.pid")
    if process:
        await process.terminate(patience=STOP_SECONDS)
    return process is not None


def _launch(run_dir: Path, values: Mapping[str, str], limits: Limits, port: int) -> ServerProcess:
    binary = nginx_binary()
    if binary is None:
        raise StartError("there is no nginx on this machine (Debian: nginx)")
    if is_listening(port):
        raise PortTakenError(f"port {port}, where the gateway should listen, is taken")
    run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in TEMPLATES:
        (run_dir / name).write_text(render(name, values))
    for name in PARTS:
        shutil.copyfile(FOLDER / name, run_dir / name)
    (run_dir / "proxies.conf").write_text(_lines("set_real_ip_from {};", limits.trusted_proxies))
    (run_dir / "proxies.geo").write_text(_lines("{} 1;", limits.trusted_proxies))
    (run_dir / "unlimited.geo").write_text(_lines("{} 1;", limits.unlimited))
    process = spawn(
        [binary, "-p", str(run_dir), "-c", str(run_dir / "nginx.conf"), "-e", "stderr"],
        log=run_dir / "nginx.log",
        environment={"PATH": os.defpath},
        folder=run_dir,
    )
    process.record(run_dir / "server.pid")
    return process


def _lines(form: str, networks: Sequence[str]) -> str:
    return "".join(f"{form.format(network)}\n" for network in networks)


def _tail(run_dir: Path) -> str:
    return log_tail(run_dir / "nginx.log")
