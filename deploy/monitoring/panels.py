"""Dashboards as Grafana reads them, out of rows of titles and queries."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parent / "dashboards"

WIDTH: Final = 24
"""Columns of Grafana's grid."""
HEIGHT: Final = 8
SCHEMA: Final = 39
"""Version of Grafana's format (10 and later); newer ones read it."""
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """One query and how its lines are called: `{{queue}}` stands for a label's value."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture.

    Attributes:
        unit: of its values, as Grafana calls it: `s`, `reqps`, `short`, `percentunit`.
        says: what to see in it, shown behind its title.
        stat: whether it is one number rather than lines.
    """

    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    says: str = ""
    stat: bool = False


@dataclass(frozen=True)
class Dashboard:
    """One page: rows of panels under a heading each."""

    slug: str
    title: str
    rows: tuple[tuple[str, Sequence[Panel]], ...]

    @property
    def panels(self) -> Iterator[Panel]:
        for _, panels in self.rows:
            yield from panels

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.slug}.json"


def written(dashboard: Dashboard) -> str:
    """A dashboard as its file holds it."""
    return json.dumps(_content(dashboard), indent=1, ensure_ascii=False) + "\n"


def _content(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "uid": f"certrail-{dashboard.slug}",
        "title": f"Certrail: {dashboard.title}",
        "tags": ["certrail"],
        "schemaVersion": SCHEMA,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "links": [{"type": "dashboards", "tags": ["certrail"], "asDropdown": True, "title": "Certrail"}],
        "panels": list(_laid_out(dashboard)),
    }


def _laid_out(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    y = 0
    for heading, panels in dashboard.rows:
        yield {"id": _id(dashboard, heading), "type": "row", "title": heading, "gridPos": _place(0, y, WIDTH, 1)}
        y += 1
        width = WIDTH // min(len(panels), 3)
        for n, panel in enumerate(panels):
            x = n % (WIDTH // width) * width
            yield _panel(panel, _id(dashboard, panel.title), _place(x, y, width, HEIGHT))
            if x + width >= WIDTH or n == len(panels) - 1:
                y += HEIGHT


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + n), "expr": query.expr, "legendFormat": query.legend, "datasource": _SOURCE}
            for n, query in enumerate(panel.queries)
        ],
    }


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


def _id(dashboard: Dashboard, title: str) -> int:
    # Follows from the title, so that a panel added in between changes no other's address.
    return int.from_bytes(hashlib.blake2b(f"{dashboard.slug}/{title}".encode(), digest_size=3).digest())
