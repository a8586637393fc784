"""The composition root of certs."""

from datetime import timedelta

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.bus.ingress import Border
from libs.common.field_keys import FieldKeys
from libs.common.http.senders import read_networks
from libs.common.mongo.jobs import Job
from libs.common.mongo.people import People
from libs.common.mongo.resealing import Resealing
from libs.common.privacy.tombstones import Tombstones
from libs.common.service import Parts, Platform, Service, Subscription
from services.certs import decision_store, dryrun_store, goals, privacy
from services.certs.agreement_api import AgreementApi
from services.certs.api import CertsApi
from services.certs.certificates import store as certificate_store
from services.certs.certificates.parts import CertificateParts
from services.certs.certificates.pool import drawing_pool
from services.certs.claims import store as claims_store
from services.certs.claims.api import ClaimsApi
from services.certs.claims.evidence import PLACE, EvidenceStore
from services.certs.claims.reports import Links, VendorMessages
from services.certs.claims.review_api import ReviewApi
from services.certs.claims.store import SubmissionStore
from services.certs.claims.submissions import Submissions
from services.certs.consumers import ServiceEvents
from services.certs.credentials import store as credential_store
from services.certs.credentials.contacts import KnownContacts
from services.certs.credentials.parts import CredentialParts
from services.certs.deciding import Deciding
from services.certs.decision_store import DecisionStore
from services.certs.decisions_api import DecisionsApi
from services.certs.directory.api import DirectoryApi
from services.certs.directory.directory import Directory
from services.certs.directory.store import DirectoryStore
from services.certs.dryrun_store import DryRunStore
from services.certs.dryruns import DryRuns
from services.certs.expiry import ExpirySweep
from services.certs.goals_api import GoalsApi
from services.certs.ledgers import Ledgers
from services.certs.merge_preview_api import MergePreviewApi
from services.certs.outlook_api import OutlookApi
from services.certs.pages.assets_api import AssetsApi
from services.certs.people import migration as people_migration
from services.certs.people.sharing import SharingSettings
from services.certs.people.sharing_api import SharingApi
from services.certs.policies import Policies
from services.certs.programs_api import ProgramsApi
from services.certs.provider import store as provider_store
from services.certs.provider.parts import BadgeProviders
from services.certs.provider.reports import in_turn
from services.certs.public import codes
from services.certs.public.addresses import Addresses
from services.certs.public.rates import AddressRates
from services.certs.reevaluation import Reevaluation
from services.certs.settings import CertsSettings
from services.certs.signing import store as signing_store
from services.certs.signing.api import IssuerKeysApi
from services.certs.signing.keys import IssuerKeys
from services.certs.signing.pairs import Sealing
from services.certs.signing.signer import Signer, shared_pool
from services.certs.signing.store import IssuerKeyStore
from services.certs.store import MIGRATIONS, CertsStore
from services.certs.transcripts import store as transcript_store
from services.certs.transcripts.parts import TranscriptParts
from services.certs.verifying.api import VerifyingApi
from services.certs.verifying.checking import Checker
from services.certs.verifying.limited import Limited
from services.certs.verifying.ours import OurRecords


def build(platform: Platform, settings: CertsSettings) -> Parts:
    store = CertsStore(platform.database)
    policies = Policies(store, platform.programs, platform.clock)
    sweep = ExpirySweep(store, policies, platform.programs, platform.unit_of_work)
    reevaluation = Reevaluation(store, policies, platform.programs, platform.unit_of_work)
    ledgers = Ledgers(store, policies)
    tombstones = Tombstones(platform.database, settings.erasure_key)
    fields = FieldKeys(settings.erasure_key, settings.field_keys_dir)
    keeper = privacy.keeper_of(platform.database, tombstones, platform.unit_of_work, ledgers, fields)
    evidence = EvidenceStore(platform.database, fields)
    submissions = Submissions(SubmissionStore(platform.database), evidence, ledgers)
    late = privacy.LateReports(platform.database, tombstones, submissions, platform.unit_of_work)
    dry_run_store = DryRunStore(platform.database)
    dry_runs = DryRuns(dry_run_store, platform.programs, platform.unit_of_work, platform.clock)
    outlook = OutlookApi(store, policies, platform.clock)
    decision_rows = DecisionStore(platform.database)
    deciding = Deciding(decision_rows, ledgers, platform.unit_of_work)
    decisions = DecisionsApi(store, decision_rows, deciding, policies, platform.clock)
    managing = ProgramsApi(store, dry_run_store, platform.programs, platform.clock)
    agreement = AgreementApi(store, ledgers, policies, platform.unit_of_work, platform.clock)
    claims = ClaimsApi(store, submissions, policies, platform.unit_of_work, platform.clock)
    reviews = ReviewApi(submissions, store, policies, platform.unit_of_work, platform.clock)
    previews = MergePreviewApi(store, policies, platform.clock)
    people = People(platform.database)
    sharing = SharingSettings(platform.database)
    directory = Directory(DirectoryStore(platform.database), people, sharing, platform.clock)
    aims = GoalsApi(store, goals.Goals(platform.database), policies, platform.unit_of_work)
    choosing = SharingApi(store, sharing, directory, policies, platform.unit_of_work)
    rates = AddressRates(settings.public_requests, read_networks(settings.trusted_proxies), platform.clock)
    listing = DirectoryApi(directory, platform.programs, rates)
    assets = AssetsApi(platform.programs)
    addresses = Addresses(settings.public_url.rstrip("/"))
    issuer_keys = IssuerKeys(
        IssuerKeyStore(platform.database),
        platform.unit_of_work,
        Sealing(settings.certs_keys_secret.get_secret_value()),
        programs=platform.programs,
        addresses=addresses,
        life=timedelta(days=settings.issuer_key_days),
        clock=platform.clock,
    )
    issuers = IssuerKeysApi(issuer_keys, platform.programs, addresses)
    signer = Signer(issuer_keys, shared_pool(settings.signing_processes), platform.clock)
    providers = BadgeProviders(platform, settings, store, policies, people)
    credentials = CredentialParts(
        platform,
        addresses,
        store,
        policies,
        signer=signer,
        keys=issuer_keys,
        contacts=KnownContacts(people, sharing),
        followers=(providers.follower,),
        beside=(directory.settle,),
    )
    certificates = CertificateParts(
        platform,
        addresses,
        store,
        policies,
        people=people,
        sharing=sharing,
        credentials=credentials,
        pool=drawing_pool(settings.drawing_processes),
    )
    parts = (outlook, aims, managing, agreement, claims, reviews, decisions, previews, assets, issuers)
    transcripts = TranscriptParts(
        platform,
        settings,
        addresses,
        store,
        ledgers,
        policies=policies,
        people=people,
        sharing=sharing,
        credentials=credentials.store,
        signed=credentials.credentials,
        signer=signer,
        keys=issuer_keys,
        rates=rates,
        documents={"certificate": certificates.documents},
    )
    ours = OurRecords(signer, store, credentials.store, platform.programs, addresses)
    verifying = VerifyingApi(Checker(ours, Limited(), platform.clock), platform.programs, rates, platform.clock)
    more = (credentials, choosing, listing, certificates, transcripts, verifying, providers)
    return Parts(
        api=CertsApi(store, platform.programs, platform.clock).api(
            tuple(route for part in (*parts, *more) for route in part.routes()), closing=(transcripts.visits.close,)
        ),
        subscriptions=(
            Subscription(
                topology.events_queue("certs"),
                decode_events,
                keeper.around(
                    in_turn(ServiceEvents(store, ledgers, Links(submissions), people).handle, providers.follower.named)
                ),
            ),
            Subscription(
                topology.vendors_queue("certs"),
                Border(platform.programs, platform.clock).decode,
                in_turn(VendorMessages(submissions, platform.programs).handle, providers.reports.handle),
                prefetch=2 * settings.batch_size,
            ),
        ),
        jobs=(
            Job("expiry", sweep.EVERY, sweep.run),
            Job("reevaluation", reevaluation.EVERY, reevaluation.run),
            Job("dry-runs", dry_runs.EVERY, dry_runs.run),
            keeper.job(),
            Resealing(platform.database, fields, (PLACE,), platform.clock).job(),
            late.job(),
            Job("issuer-keys", issuer_keys.EVERY, issuer_keys.run),
            credentials.job(),
        ),
        background=(*credentials.background(), *providers.background()),
    )


SERVICE = Service(
    name="certs",
    migrations=(
        *MIGRATIONS,
        codes.MIGRATION,
        dryrun_store.MIGRATION,
        claims_store.MIGRATION,
        decision_store.MIGRATION,
        privacy.MIGRATION,
        signing_store.MIGRATION,
        credential_store.MIGRATION,
        certificate_store.MIGRATION,
        people_migration.MIGRATION,
        transcript_store.MIGRATION,
        provider_store.MIGRATION,
        goals.MIGRATION,
    ),
    build=build,
    settings=CertsSettings,
)
