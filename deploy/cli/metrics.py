"""Reads a service's figures from its internal port."""

from collections.abc import Mapping

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.settings import LOOPBACK, LocalSettings

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Figures:
    """One reading of `/metrics`."""

    def __init__(self, text: str) -> None:
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def total(self, name: str) -> float:
        """The sum over all labels; 0 where there is none."""
        return sum(sample.value for sample in self._samples if sample.name == name)

    def by(self, name: str, label: str) -> Mapping[str, float]:
        """The sum for each value of a label."""
        sums: dict[str, float] = {}
        for sample in self._samples:
            if sample.name == name:
                key = sample.labels.get(label, "")
                sums[key] = sums.get(key, 0.0) + sample.value
        return sums


async def read_figures(session: aiohttp.ClientSession, local: LocalSettings, service: str) -> Figures | None:
    """The figures of a local service; None where it does not answer."""
    url = f"http://{LOOPBACK}:{local.ports.internal(service)}/metrics"
    try:
        async with session.get(url, timeout=_TIMEOUT) as response:
            return Figures(await response.text()) if response.ok else None
    except (aiohttp.ClientError, TimeoutError):
        return None
