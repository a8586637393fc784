"""Every metric that the code declares."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

_PARTS = {"histogram": ("_bucket", "_sum", "_count")}


@dataclass(frozen=True)
class Metric:
    """One metric, named as monitoring asks for it."""

    name: str
    kind: str
    """`counter`, `gauge` or `histogram`."""
    labels: tuple[str, ...]
    says: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which its values are had."""
        return tuple(self.name + part for part in _PARTS.get(self.kind, ("",)))


def declared() -> Mapping[str, Metric]:
    """All of them, after all code that may declare one is loaded."""
    for root in ("libs", "services"):
        package = importlib.import_module(root)
        for module in pkgutil.walk_packages(package.__path__, f"{root}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    found = {}
    for one in set(REGISTRY._collector_to_names):
        if isinstance(one, MetricWrapperBase) and one._name.startswith("certrail_"):
            name = f"{one._name}_total" if one._type == "counter" else one._name
            found[name] = Metric(name, one._type, tuple(one._labelnames), one._documentation)
    return found
