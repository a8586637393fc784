"""The configuration files and the environment that make a RabbitMQ node independent of the machine's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from deploy.local.secret_store import write_private
from deploy.local.settings import LOOPBACK
from libs.common.bus import topology

NODE = "certrail@localhost"
"""The same for every data folder (the data carry the name); each node has a port mapper of its own."""

PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus")

_ERLANG = "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}"
"""No spinning for work on cores that the services need; the node's own port on the loopback interface."""


class Ports(Protocol):
    """What of a broker's ports goes into its configuration."""

    @property
    def amqp(self) -> int: ...
    @property
    def management(self) -> int: ...
    @property
    def metrics(self) -> int: ...


def write_configuration(
    data_dir: Path, ports: Ports, admin_user: str, admin_password: str, more: Mapping[str, str | int] | None = None
) -> None:
    """Write `rabbitmq.conf`, with `more` settings if there are any, and the list of plug-ins into the data folder."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = _settings(ports, admin_user, admin_password) | dict(more or {})
    write_private(data_dir / "rabbitmq.conf", "".join(f"{name} = {value}\n" for name, value in settings.items()))
    write_private(data_dir / "enabled_plugins", f"[{','.join(PLUGINS)}].\n")


def environment(data_dir: Path, epmd_port: int, distribution_port: int, *, node: str = NODE) -> dict[str, str]:
    """The environment of the node and of the commands that talk to it."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": str(data_dir),  # where Erlang keeps the cookie that commands and node share
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": LOOPBACK,
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",  # the machine's own node has its settings there
        "RABBITMQ_NODENAME": node,
        "RABBITMQ_DIST_PORT": str(distribution_port),
        "RABBITMQ_MNESIA_BASE": str(data_dir / "mnesia"),
        "RABBITMQ_LOG_BASE": str(data_dir),
        "RABBITMQ_CONFIG_FILE": str(data_dir / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(data_dir / "enabled_plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": _ERLANG,
        "RUNNING_UNDER_SYSTEMD": "true",  # the script becomes the node, so that its process id is the node's
    }


def _settings(ports: Ports, admin_user: str, admin_password: str) -> dict[str, str | int]:
    return {
        "listeners.tcp.1": f"{LOOPBACK}:{ports.amqp}",
        "management.tcp.ip": LOOPBACK,
        "management.tcp.port": ports.management,
        "prometheus.tcp.ip": LOOPBACK,
        "prometheus.tcp.port": ports.metrics,
        "default_user": admin_user,
        "default_pass": admin_password,
        "default_user_tags.administrator": "true",
        "max_message_size": topology.MAX_MESSAGE_BYTES,
        "heartbeat": 15,
        "disk_free_limit.absolute": "50MB",
        # Prometheus reads the counters at their source; a second set of statistics only costs CPU.
        "management.disable_stats": "true",
        "management_agent.disable_metrics_collector": "true",
        "log.console": "false",  # a start that fails is told there all the same
        "log.file": "rabbitmq.log",
        "log.file.level": "warning",
        "log.file.rotation.size": 10_485_760,
        "log.file.rotation.count": 2,
    }
