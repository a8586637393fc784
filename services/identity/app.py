"""The composition root of identity."""

from libs.common.bus import topology
from libs.common.bus.ingress import Border
from libs.common.http.jwks import StaticKeys
from libs.common.mongo.jobs import Job
from libs.common.service import Parts, Platform, Service, Subscription
from services.identity.access import Access
from services.identity.api import IdentityApi
from services.identity.case_store import CaseStore
from services.identity.claiming import Claiming
from services.identity.consumers import VendorMessages
from services.identity.mapping import Mapping
from services.identity.mapping_api import MappingApi
from services.identity.mapping_store import MappingStore
from services.identity.merge_api import MergeApi
from services.identity.merge_store import MergeStore
from services.identity.merging import Merging
from services.identity.profile_api import ProfileApi
from services.identity.profiles import Profiles
from services.identity.settings import IdentitySettings, read_signing_keys
from services.identity.similar_api import SimilarApi
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
    mapping = Mapping(MappingStore(platform.database))
    accounts, cases = MergeStore(platform.database), CaseStore(platform.database)
    merging = Merging(accounts, mapping, platform.unit_of_work, platform.clock)
    claiming = Claiming(cases, mapping, accounts, platform.unit_of_work)
    profiles = Profiles(accounts, mapping.store, platform.unit_of_work)
    similar = SimilarApi(store).routes()
    routes = (
        *similar,
        *MergeApi(store, merging).routes(),
        *MappingApi(claiming).routes(),
        *ProfileApi(store, profiles, platform.programs).routes(),
    )
    return Parts(
        api=IdentityApi(store, access).api(routes),
        subscriptions=(
            Subscription(
                topology.vendors_queue("identity"),
                Border(platform.programs, platform.clock).decode,
                VendorMessages(store, cases, platform.programs).handle,
                prefetch=2 * settings.batch_size,
            ),
        ),
        jobs=(Job("merges", Merging.EVERY, merging.resume),),
        keys=StaticKeys(*keys),
    )


SERVICE = Service(name="identity", migrations=MIGRATIONS, build=build, settings=IdentitySettings)
