"""What the history adds to the service: its collections and its routes."""

from collections.abc import Mapping
from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.merges import Merges
from libs.common.mongo.migrations import Migration, declare
from libs.common.service import Platform
from services.exams.history import achievements, retake_flags
from services.exams.history.api import HistoryApi
from services.exams.history.appointments import AppointmentsApi
from services.exams.history.flags_api import RetakeFlagsApi
from services.exams.history.reading import History
from services.exams.history.retake_flags import RetakeFlags
from services.exams.history.store import HistoryStore
from services.exams.vendors.definition import Vendor

MIGRATION = Migration(
    11,
    "achievements, retakes",
    declare(
        {
            achievements.COLLECTION: achievements.INDEXES,
            retake_flags.COLLECTION: retake_flags.INDEXES,
            retake_flags.DUE: [],
        }
    ),
)


def history_routes(platform: Platform, vendors: Mapping[str, Vendor]) -> tuple[Route[Any, Any, Any, Any], ...]:
    """All routes of the history."""
    database = platform.database
    history = History(HistoryStore(database), platform.programs, platform.clock)
    portals = {vendor.id: vendor.portal_url for vendor in vendors.values() if vendor.portal_url is not None}
    return (
        *HistoryApi(history).routes(),
        *AppointmentsApi(history, portals).routes(),
        *RetakeFlagsApi(RetakeFlags(database), Merges(database), platform.unit_of_work).routes(),
    )
