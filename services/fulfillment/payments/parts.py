"""What payments consist of, joined for the service's composition root."""

from typing import Any

from libs.common.http.routes import Route
from libs.common.mongo.merges import Merges
from libs.common.secret_files import Secrets
from libs.common.service import Platform
from services.fulfillment.offers.claiming import Claims
from services.fulfillment.orders.ordering import Ordering
from services.fulfillment.payments.api import PaymentsApi
from services.fulfillment.payments.desk import PaymentDesk
from services.fulfillment.payments.guard import PageGuard
from services.fulfillment.payments.pages import load_pages
from services.fulfillment.payments.store import PaymentStore
from services.fulfillment.settings import FulfillmentSettings


def payment_routes(
    platform: Platform, settings: FulfillmentSettings, ordering: Ordering, claims: Claims
) -> tuple[Route[Any, Any, Any, Any], ...]:
    """The routes of payments.

    Raises:
        ProgramErrors: the definition of a payment page has a fault.
    """
    pages = load_pages(settings.payment_pages_dir)
    desk = PaymentDesk(
        PaymentStore(platform.database),
        ordering,
        claims,
        Merges(platform.database),
        pages,
        programs=platform.programs,
        secrets=Secrets(settings.vendor_secrets_dir),
        unit_of_work=platform.unit_of_work,
        public_url=settings.public_url,
        clock=platform.clock,
    )
    return PaymentsApi(desk, PageGuard(pages, desk, platform.clock), platform.programs).routes()
