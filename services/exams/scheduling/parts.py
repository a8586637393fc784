"""What booking consists of: the way to vendors and the codes to pay with, joined for the service's composition root."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.jobs import Job
from libs.common.mongo.merges import Merges
from libs.common.privacy.tombstones import Tombstones
from libs.common.secret_files import Secrets
from libs.common.service import Platform
from services.exams.scheduling.api import SchedulingApi
from services.exams.scheduling.hand_overs import HandOvers
from services.exams.scheduling.store import HandOverStore
from services.exams.settings import ExamsSettings
from services.exams.store import ExamsStore
from services.exams.vendors.definition import Vendor
from services.exams.vouchers.api import VouchersApi
from services.exams.vouchers.codes import Codes
from services.exams.vouchers.importing import Importing
from services.exams.vouchers.registry import Vouchers
from services.exams.vouchers.store import VoucherStore
from services.exams.vouchers.uses import VoucherUses, VoucherWatch


def codes_used(platform: Platform, settings: ExamsSettings) -> VoucherUses:
    """Who takes note of codes that registrations and results name."""
    return VoucherUses(VoucherStore(platform.database), Merges(platform.database), _codes(settings), platform.programs)


@dataclass(frozen=True, slots=True)
class Booking:
    routes: tuple[Route[Any, Any, Any, Any], ...]
    job: Job


def booking(
    platform: Platform,
    settings: ExamsSettings,
    store: ExamsStore,
    vendors: Mapping[str, Vendor],
    tombstones: Tombstones,
) -> Booking:
    codes, rows, uses = _codes(settings), VoucherStore(platform.database), codes_used(platform, settings)
    vouchers = Vouchers(rows, store, codes, platform.unit_of_work, platform.clock)
    importing = Importing(rows, uses, codes, vendors, platform.unit_of_work)
    hand_overs = HandOvers(
        HandOverStore(platform.database),
        store,
        vouchers,
        vendors,
        secrets=Secrets(settings.vendor_secrets_dir),
        tombstones=tombstones,
        unit_of_work=platform.unit_of_work,
        public_url=settings.public_url,
        clock=platform.clock,
    )
    return Booking(
        routes=(
            *SchedulingApi(hand_overs, platform.programs).routes(),
            *VouchersApi(vouchers, importing, platform.programs).routes(),
        ),
        job=VoucherWatch(rows, uses, platform.programs, platform.unit_of_work, platform.clock).job(),
    )


def _codes(settings: ExamsSettings) -> Codes:
    return Codes(settings.erasure_key.get_secret_value())
