"""The composition root of certs."""

from libs.common.bus import topology
from libs.common.bus.decoding import decode_events
from libs.common.mongo.jobs import Job
from libs.common.service import Parts, Platform, Service, Subscription
from libs.common.settings import ServiceSettings
from services.certs.api import CertsApi
from services.certs.consumers import ServiceEvents
from services.certs.deciding import Deciding
from services.certs.decision_store import MIGRATION as DECISIONS
from services.certs.decision_store import DecisionStore
from services.certs.decisions_api import DecisionsApi
from services.certs.dryrun_store import MIGRATION as DRY_RUNS
from services.certs.dryrun_store import DryRunStore
from services.certs.dryruns import DryRuns
from services.certs.expiry import ExpirySweep
from services.certs.ledgers import Ledgers
from services.certs.outlook_api import OutlookApi
from services.certs.policies import Policies
from services.certs.programs_api import ProgramsApi
from services.certs.reevaluation import Reevaluation
from services.certs.store import MIGRATIONS, CertsStore


def build(platform: Platform, _settings: ServiceSettings) -> Parts:
    store = CertsStore(platform.database)
    policies = Policies(store, platform.programs, platform.clock)
    sweep = ExpirySweep(store, policies, platform.programs, platform.unit_of_work)
    reevaluation = Reevaluation(store, policies, platform.programs, platform.unit_of_work)
    dry_run_store = DryRunStore(platform.database)
    dry_runs = DryRuns(dry_run_store, platform.programs, platform.unit_of_work, platform.clock)
    outlook = OutlookApi(store, policies, platform.clock)
    ledgers = Ledgers(store, policies)
    decision_store = DecisionStore(platform.database)
    decisions = DecisionsApi(
        store,
        decision_store,
        Deciding(decision_store, ledgers, platform.unit_of_work),
        platform.programs,
        platform.clock,
    )
    managing = ProgramsApi(store, dry_run_store, platform.programs, platform.clock)
    return Parts(
        api=CertsApi(store, platform.programs, platform.clock).api(
            (*outlook.routes(), *managing.routes(), *decisions.routes())
        ),
        subscriptions=(Subscription(topology.events_queue("certs"), decode_events, ServiceEvents(ledgers).handle),),
        jobs=(
            Job("expiry", sweep.EVERY, sweep.run),
            Job("reevaluation", reevaluation.EVERY, reevaluation.run),
            Job("dry-runs", dry_runs.EVERY, dry_runs.run),
        ),
    )


SERVICE = Service(name="certs", migrations=(*MIGRATIONS, DRY_RUNS, DECISIONS), build=build)
