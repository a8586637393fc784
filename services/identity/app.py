"""The composition root of identity."""

from dataclasses import replace

from libs.common.bus import topology
from libs.common.bus.ingress import Border
from libs.common.http.jwks import StaticKeys
from libs.common.mongo.jobs import Job
from libs.common.service import Parts, Platform, Service, Subscription
from services.identity.access import Access
from services.identity.api import IdentityApi
from services.identity.consumers import VendorMessages
from services.identity.login import access_requests
from services.identity.login.access_requests import AccessRequests
from services.identity.login.api import LoginApi
from services.identity.login.store import MIGRATION as LOGIN
from services.identity.login.store import AccessRequestStore
from services.identity.settings import IdentitySettings, read_signing_keys
from services.identity.store import MIGRATIONS, IdentityStore


def build(platform: Platform, settings: IdentitySettings) -> Parts:
    store = IdentityStore(platform.database)
    keys = read_signing_keys(settings.signing_keys_file)
    secret = settings.operator_secret
    access = Access(
        store,
        platform.unit_of_work,
        keys,
        issuer=settings.token_issuer,
        operator_secret=secret.get_secret_value() if secret else None,
        programs=platform.programs,
        clock=platform.clock,
    )
    requests = AccessRequests(store, AccessRequestStore(platform.database), platform.unit_of_work, platform.clock)
    api = IdentityApi(store, access).api()
    return Parts(
        api=replace(api, routes=(*api.routes, *LoginApi(requests).routes())),
        subscriptions=(
            Subscription(
                topology.vendors_queue("identity"),
                Border(platform.programs, platform.clock).decode,
                VendorMessages(store, platform.programs).handle,
                prefetch=2 * settings.batch_size,
            ),
        ),
        jobs=(Job("access-requests", access_requests.EVERY, requests.run),),
        keys=StaticKeys(*keys),
    )


SERVICE = Service(name="identity", migrations=[*MIGRATIONS, LOGIN], build=build, settings=IdentitySettings)
