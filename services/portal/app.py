"""The composition root of the portal, and its process."""

import argparse
import asyncio
import os
import signal
import socket
from collections.abc import Mapping

import aiohttp
import structlog
import uvloop
from aiohttp import web

from libs.common.clock import Clock, SystemClock
from libs.common.http.auth import TokenVerifier
from libs.common.http.health import Readiness, internal_app
from libs.common.http.jwks import RemoteKeys
from libs.common.http.server import serve
from libs.common.ids import new_id
from libs.common.languages import LANGUAGES
from libs.common.logs import configure_logs
from libs.common.mongo.client import Client, open_client, open_database
from libs.common.mongo.migrations import migrate_and_end
from libs.common.programs import Program, ProgramErrors
from libs.common.programs.live import LivePrograms
from libs.common.sealing import SecretBox
from libs.common.service import make_ready
from libs.common.settings import load_settings
from services.portal.access.entering import Entrance
from services.portal.access.provider import ProviderSignIn
from services.portal.access.recover import Recover
from services.portal.access.sign_in import SignIn
from services.portal.account.pages import AccountPages
from services.portal.assets import AssetFiles
from services.portal.backend.client import Backend
from services.portal.cases.pages import CasePages
from services.portal.certifications.pages import CertificationPages
from services.portal.credits.claim_pages import ClaimPages
from services.portal.credits.pages import CreditPages
from services.portal.exams.challenges import ChallengePages
from services.portal.exams.going import GoingPages
from services.portal.exams.pages import ExamPages
from services.portal.home.page import Home
from services.portal.kits.claiming import KitClaimPages
from services.portal.kits.pages import KitPages
from services.portal.languages import SPEECH
from services.portal.mails.pages import MailPages
from services.portal.my_data.pages import MyData
from services.portal.papers.pages import Papers
from services.portal.plan.pages import GoalPages
from services.portal.plan.renewing import PlanPages
from services.portal.preferences.pages import Preferences
from services.portal.profile.complete import Complete
from services.portal.profile.ids import IdPages
from services.portal.profile.pages import ProfilePages
from services.portal.security.factor import FactorPages
from services.portal.security.pages import SecurityPages
from services.portal.security_txt import SecurityTxt
from services.portal.settings import PortalSettings
from services.portal.share.links import LinkPages
from services.portal.share.proofs import ProofPages
from services.portal.staff.entrance.account import StaffAccount
from services.portal.staff.entrance.sign_in import StaffSignIn
from services.portal.staff.pages import staff_pages
from services.portal.web.cookies import Cookies
from services.portal.web.door import Door
from services.portal.web.drafts import MIGRATION as DRAFTS
from services.portal.web.drafts import Drafts
from services.portal.web.forms import FormTokens
from services.portal.web.repeats import MIGRATION as DONE
from services.portal.web.repeats import Repeats
from services.portal.web.sessions import MIGRATIONS, Sessions, StaffSessions
from services.portal.web.vendor_names import VendorNames

EVERY_MIGRATION = (*MIGRATIONS, DRAFTS, DONE)

MOST_FORM_BYTES = 6 * 1_048_576
"""A file as large as the services take, and what is typed beside it."""

log = structlog.get_logger(__name__)


def build(
    settings: PortalSettings,
    programs: Mapping[str, Program],
    client: Client,
    http: aiohttp.ClientSession,
    clock: Clock,
) -> web.Application:
    """The pages."""
    secret = settings.portal_secret.get_secret_value()
    cookies = Cookies(secure=settings.secure)
    database = open_database(client)
    sessions = Sessions(database, SecretBox(secret, purpose="portal sessions"), clock)
    staff = StaffSessions(database, SecretBox(secret, purpose="portal staff sessions"), clock)
    drafts = Drafts(database, secret, SecretBox(secret, purpose="portal drafts"), clock)
    backend = Backend(http, settings.service_urls, settings.read_seconds)
    verifier = TokenVerifier(RemoteKeys(settings.jwks_url, http, clock), settings.token_issuer, clock)
    door = Door(
        backend=backend,
        sessions=sessions,
        staff=staff,
        cookies=cookies,
        forms=FormTokens(secret),
        drafts=drafts,
        repeats=Repeats(database, clock),
        vendors=VendorNames(clock),
        programs=programs,
    )
    app = web.Application(middlewares=[door.handle], client_max_size=MOST_FORM_BYTES)
    proofs = SecretBox(secret, purpose="portal sign-in")
    entrance = Entrance(sessions, cookies, verifier, drafts)
    provider = ProviderSignIn(entrance, cookies, proofs, programs, clock)
    sign_in = SignIn(entrance=entrance, provider=provider, box=proofs, programs=programs, clock=clock)
    enrolments = SecretBox(secret, purpose="portal second factors")
    app.add_routes(
        [
            *sign_in.routes(),
            *provider.routes(),
            *Recover(cookies, provider, programs, clock).routes(),
            *Home(clock).routes(),
            *AccountPages().routes(),
            *Complete(sessions, cookies, clock, sign_in.leave).routes(),
            *ProfilePages(cookies).routes(),
            *IdPages(cookies).routes(),
            *Preferences(sessions, cookies, clock).routes(),
            *MyData(cookies).routes(),
            *Papers(cookies).routes(),
            *CertificationPages(cookies).routes(),
            *GoingPages(SecretBox(secret, purpose="portal ways to vendors")).routes(),
            *ChallengePages(cookies).routes(),
            *ExamPages().routes(),
            *LinkPages(cookies).routes(),
            *ProofPages(cookies).routes(),
            *KitPages(cookies, SecretBox(secret, purpose="portal ways to payment pages")).routes(),
            *KitClaimPages(cookies).routes(),
            *MailPages().routes(),
            *CasePages(cookies, clock).routes(),
            *SecurityPages(entrance, cookies).routes(),
            *FactorPages(cookies, enrolments, clock).routes(),
            *GoalPages(cookies).routes(),
            *PlanPages(cookies).routes(),
            *ClaimPages(cookies, clock).routes(),
            *CreditPages(cookies).routes(),
            *StaffSignIn(staff, cookies, programs).routes(),
            *StaffAccount(SecretBox(secret, purpose="portal staff accounts"), programs).routes(),
            *staff_pages(cookies, programs, staff),
            *AssetFiles(programs).routes(),
            *SecurityTxt(settings).routes(),
        ]
    )
    return app


async def run(
    settings: PortalSettings, programs: Mapping[str, Program], *, stopping: asyncio.Event, clock: Clock
) -> None:
    """Run the portal until `stopping` is set, then stop it cleanly; it starts as every service does."""
    client = open_client(settings.database_address, application="certrail-portal")
    owner = f"portal-{socket.gethostname()}-{os.getpid()}-{new_id()[-6:]}"
    readiness = Readiness()
    readiness.register("database", lambda: client.admin.command("ping"))
    try:
        if not await make_ready(
            client, open_database(client), EVERY_MIGRATION, owner=owner, stopping=stopping, clock=clock
        ):
            return
        async with (
            aiohttp.ClientSession() as http,
            serve(internal_app(readiness), settings.host, settings.internal_port),
            serve(
                build(settings, programs, client, http, clock),
                settings.host,
                settings.api_port,
                drain_seconds=settings.drain_seconds,
                leave_seconds=settings.leave_seconds,
            ) as port,
        ):
            log.info("started", port=port)
            await stopping.wait()
            log.info("stopping")
            readiness.leave()
    finally:
        client.close()
    log.info("stopped")


async def _until_signal(settings: PortalSettings, programs: LivePrograms) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    SPEECH.learn(*LANGUAGES.values())
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(programs.watch(stopping))
        try:
            await run(settings, programs, stopping=stopping, clock=SystemClock())
        finally:
            stopping.set()


def main() -> None:
    """The command line: `python -m services.portal`."""
    parser = argparse.ArgumentParser(prog="services.portal", description="The pages for candidates.")
    parser.add_argument("--migrate", action="store_true", help="migrate the database, then end")
    only_migrate: bool = parser.parse_args().migrate
    settings = load_settings(PortalSettings)
    configure_logs(level=settings.log_level, service="portal", role="api", human=settings.log_human)
    if only_migrate:
        uvloop.run(migrate_and_end(settings.database_address, "portal", EVERY_MIGRATION))
        return
    try:
        programs = LivePrograms(settings.programs_dir)
    except ProgramErrors as error:
        raise SystemExit(f"CERTRAIL_PROGRAMS_DIR: {error}") from None
    uvloop.run(_until_signal(settings, programs))
