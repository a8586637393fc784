"""The composition root of identity."""

from datetime import timedelta
from functools import partial

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.bus.ingress import Border
from libs.common.casework.evidence import EvidenceStore
from libs.common.certificate_watch import CertificateWatch
from libs.common.field_keys import FieldKeys
from libs.common.http.senders import read_networks
from libs.common.mongo.jobs import Job
from libs.common.mongo.resealing import Resealing
from libs.common.privacy.retention import Retention
from libs.common.privacy.tombstones import Tombstones
from libs.common.service import Parts, Platform, Service, Subscription
from services.identity.access import Access
from services.identity.api import IdentityApi
from services.identity.cases.acts import Acts
from services.identity.cases.candidate_api import CandidateCasesApi
from services.identity.cases.casework import Cases
from services.identity.cases.missing_results import MIGRATION as LATE_RESULTS
from services.identity.cases.missing_results import MissingResults
from services.identity.cases.returned_parcels import ReturnedParcels
from services.identity.cases.staff_api import StaffCasesApi
from services.identity.cases.store import MIGRATION as CASES
from services.identity.cases.store import CaseStore
from services.identity.claiming import Claiming
from services.identity.consumers import ServiceEvents, VendorMessages
from services.identity.duplicates.api import DuplicatesApi
from services.identity.duplicates.comparing import Comparing
from services.identity.duplicates.store import MIGRATION as DUPLICATES
from services.identity.duplicates.store import DuplicateStore
from services.identity.email_changes import MIGRATION as EMAIL_CHANGES
from services.identity.email_changes import EmailChanges, EmailChangeStore
from services.identity.email_changes_api import EmailChangesApi
from services.identity.login import access_requests
from services.identity.login.access_requests import AccessRequests
from services.identity.login.addresses import AddressLimit
from services.identity.login.api import LoginApi
from services.identity.login.breached import Breached
from services.identity.login.ending_api import EndingApi
from services.identity.login.even_refusals import EvenRefusals
from services.identity.login.password_changes import PasswordChanges
from services.identity.login.password_policy import PasswordPolicy
from services.identity.login.second_factor import SecondFactors
from services.identity.login.second_factor_api import SecondFactorApi
from services.identity.login.second_factor_store import SEALED, SecondFactorStore
from services.identity.login.session_store import SessionStore
from services.identity.login.sessions import Sessions
from services.identity.login.store import MIGRATION as LOGIN
from services.identity.login.store import AccessRequestStore
from services.identity.login.tokens import Tokens
from services.identity.mapping import Mapping
from services.identity.mapping_api import MappingApi
from services.identity.mapping_store import MappingStore
from services.identity.merge_api import MergeApi
from services.identity.merge_store import MergeStore
from services.identity.merging import Merging
from services.identity.openid.api import OpenIdApi
from services.identity.openid.linking import Linking
from services.identity.openid.providers import Providers
from services.identity.openid.signing_in import SigningIn
from services.identity.openid.store import MIGRATION as OPENID
from services.identity.openid.store import SignInStore
from services.identity.overview.api import OverviewApi
from services.identity.overview.store import OverviewStore
from services.identity.passwords import Passwords
from services.identity.privacy.erasure_api import ErasureApi
from services.identity.privacy.erasures import Erasures, ErasureStore
from services.identity.privacy.export_api import ExportApi
from services.identity.privacy.export_store import ExportStore
from services.identity.privacy.exports import ExportParts, Exports
from services.identity.privacy.holdings import MIGRATION as PRIVACY
from services.identity.privacy.holdings import PERIODS
from services.identity.privacy.late import LateRegistrations
from services.identity.privacy.people import People
from services.identity.profile_api import ProfileApi
from services.identity.profiles import Profiles
from services.identity.provider.api import ProviderApi
from services.identity.provider.clients import read_clients
from services.identity.provider.provider import Provider
from services.identity.provider.store import MIGRATION as PROVIDER
from services.identity.provider.store import ProviderStore
from services.identity.reachability import Reachability
from services.identity.registration_store import RegistrationStore
from services.identity.seals.api import SealApi
from services.identity.seals.consumers import SealEvents
from services.identity.seals.store import SealStore
from services.identity.search.api import SearchApi
from services.identity.search.store import FILL_EVERY, SearchStore, fill
from services.identity.search.store import MIGRATION as SEARCH
from services.identity.settings import IdentitySettings, read_openid_secrets, read_signing_keys
from services.identity.signing import keys as signing_keys
from services.identity.signing.api import KeysApi
from services.identity.signing.keys import SigningKeys
from services.identity.signing.sealing import Sealing
from services.identity.signing.store import SigningKeyStore
from services.identity.staff import invitations as staff_invitations
from services.identity.staff.accounts import StaffAccounts
from services.identity.staff.api import StaffApi
from services.identity.staff.colleagues_api import ColleaguesApi
from services.identity.staff.entrance import StaffEntrance
from services.identity.staff.entrance_api import StaffEntranceApi
from services.identity.staff.invitations import Invitations
from services.identity.staff.migration import MIGRATION as STAFF
from services.identity.staff.store import SESSIONS_PREFIX, StaffStore
from services.identity.store import MIGRATIONS, IdentityStore
from services.identity.systems.api import SystemsApi
from services.identity.systems.clients import Clients
from services.identity.systems.store import ClientStore
from services.identity.systems.token_api import OAuthApi


def build(platform: Platform, settings: IdentitySettings) -> Parts:
    store = IdentityStore(platform.database)
    secret = settings.operator_secret
    database, unit_of_work, clock = platform.database, platform.unit_of_work, platform.clock
    keys = SigningKeys(
        SigningKeyStore(database),
        unit_of_work,
        Sealing(settings.signing_keys_secret.get_secret_value()),
        partial(read_signing_keys, settings.signing_keys_file),
        clock,
    )
    tokens = Tokens(keys, issuer=settings.token_issuer, clock=clock)
    clients = Clients(
        ClientStore(database),
        clock,
        operator_secret=secret.get_secret_value() if secret else None,
        programs=platform.programs,
    )
    session_store = SessionStore(database)
    passwords = Passwords()
    policy = PasswordPolicy(Breached(settings.breached_passwords_file), platform.programs)
    limit = AddressLimit(database, read_networks(settings.trusted_proxies), clock)
    fields = FieldKeys(settings.erasure_key, settings.field_keys_dir)
    factors = SecondFactors(SecondFactorStore(database, fields), unit_of_work, clock)
    even_refusals = EvenRefusals()
    access = Access(store, passwords, factors, platform.programs, clock, even_refusals=even_refusals)
    changes = PasswordChanges(store, session_store, unit_of_work, passwords=passwords, policy=policy, clock=clock)
    sessions = Sessions(session_store, unit_of_work, clock)
    requests = AccessRequests(store, AccessRequestStore(database), unit_of_work, clock)
    login = LoginApi(
        tokens=tokens,
        clients=clients,
        access=access,
        sessions=sessions,
        access_requests=requests,
        changes=changes,
        limit=limit,
        factors=factors,
    )
    second_factor = SecondFactorApi(factors, sessions, platform.programs)
    mapping = Mapping(MappingStore(database), store)
    merging = Merging(MergeStore(database), store, mapping, unit_of_work, clock)
    registrations = RegistrationStore(database)
    cases = Cases(
        CaseStore(database),
        EvidenceStore(database, "case_evidence", fields),
        store,
        Acts(store, mapping, merging),
        unit_of_work=unit_of_work,
        programs=platform.programs,
        clock=clock,
    )
    claiming = Claiming(registrations, cases, mapping, unit_of_work)
    profiles = Profiles(store, unit_of_work)
    email_changes = EmailChanges(EmailChangeStore(database), store, unit_of_work)
    providers = Providers(
        platform.programs, read_openid_secrets(settings.openid_secrets_file), settings.sign_in_page, clock
    )
    signing_in = SigningIn(
        providers,
        SignInStore(database),
        Linking(mapping, store),
        store,
        access=access,
        factors=factors,
        unit_of_work=unit_of_work,
        clock=clock,
    )
    provider = Provider(
        ProviderStore(database),
        store,
        read_clients(settings.provider_clients_file),
        sessions,
        keys,
        issuer=settings.provider_issuer,
        clock=clock,
    )
    seals = SealStore(database)
    staff, staff_sessions = StaffStore(database), SessionStore(database, SESSIONS_PREFIX)
    invitations = Invitations(staff, unit_of_work, clock)
    staff_accounts = StaffAccounts(staff, staff_sessions, unit_of_work, factors=factors, invitations=invitations)
    staff_entrance = StaffEntrance(
        staff,
        staff_sessions,
        unit_of_work,
        passwords=passwords,
        policy=policy,
        factors=factors,
        clock=clock,
        even_refusals=even_refusals,
    )
    people = People(store, database)
    duplicates = DuplicateStore(database)
    tombstones = Tombstones(database, settings.erasure_key)
    export_store = ExportStore(database)
    exports = Exports(export_store, people, database, unit_of_work, clock, fields=fields)
    erasures = Erasures(ErasureStore(database), people, store, tombstones, database, unit_of_work, clock)
    retention = Retention(database, PERIODS, clock)
    routes = (
        *ExportApi(exports, people, factors, sessions, clock).routes(),
        *ErasureApi(erasures, store, factors, sessions).routes(),
        *login.routes(),
        *EndingApi(store, sessions).routes(),
        *second_factor.routes(),
        *OpenIdApi(signing_in, sessions, tokens, limit, platform.programs).routes(),
        *ProviderApi(provider, limit, public_url=settings.public_url).routes(),
        *DuplicatesApi(duplicates, store, unit_of_work, clock).routes(),
        *MergeApi(store, merging).routes(),
        *MappingApi(claiming).routes(),
        *CandidateCasesApi(cases).routes(),
        *StaffCasesApi(cases).routes(),
        *ProfileApi(store, profiles, platform.programs, clock).routes(),
        *EmailChangesApi(email_changes, factors, sessions, limit).routes(),
        *SealApi(seals).routes(),
        *SearchApi(SearchStore(database), platform.programs).routes(),
        *OverviewApi(store, OverviewStore(database), clock).routes(),
        *KeysApi(keys).routes(),
        *OAuthApi(clients, tokens, limit).routes(),
        *SystemsApi(clients).routes(),
        *StaffApi(staff_accounts).routes(),
        *ColleaguesApi(staff).routes(),
        *StaffEntranceApi(staff_entrance, invitations, tokens, limit).routes(),
    )
    return Parts(
        api=IdentityApi(store).api(routes),
        subscriptions=(
            Subscription(
                topology.vendors_queue("identity"),
                Border(platform.programs, platform.clock).decode,
                LateRegistrations(tombstones).around(
                    VendorMessages(store, registrations, platform.programs, platform.said_before).handle
                ),
                prefetch=2 * settings.batch_size,
            ),
            Subscription(
                topology.events_queue("identity"),
                decode_events,
                ServiceEvents(
                    seals=SealEvents(seals),
                    parts=ExportParts(export_store),
                    missing=MissingResults(database, cases, store),
                    returned=ReturnedParcels(cases, store),
                    profiles=profiles,
                    reachability=Reachability(database),
                    erasures=erasures,
                ).handle,
            ),
        ),
        jobs=(
            Job("access-requests", access_requests.EVERY, requests.run),
            Job("merges", Merging.EVERY, merging.resume),
            Job("name-keys", FILL_EVERY, partial(fill, database, platform.programs)),
            Job("signing-keys", signing_keys.EVERY, keys.sweep),
            Job("certificates", timedelta(hours=1), CertificateWatch(settings.public_url).run),
            Job("staff-requests", staff_invitations.EVERY, invitations.run),
            Resealing(database, fields, (*SEALED, "case_evidence.content"), clock).job(),
            exports.job(),
            erasures.job(),
            retention.job(),
            Comparing(duplicates, platform.programs, clock).job(),
        ),
        keys=keys,
    )


SERVICE = Service(
    name="identity",
    migrations=[
        *MIGRATIONS,
        LOGIN,
        OPENID,
        CASES,
        PRIVACY,
        STAFF,
        SEARCH,
        EMAIL_CHANGES,
        LATE_RESULTS,
        PROVIDER,
        DUPLICATES,
    ],
    build=build,
    settings=IdentitySettings,
)
