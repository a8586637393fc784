"""The rules in force, and other rules tried on every candidate without any effect."""

import asyncio
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from services.portal.backend.client import Refused
from services.portal.languages import mark, say, say_many
from services.portal.languages.days import minute
from services.portal.staff.consequences import state_of
from services.portal.staff.kit import NONE, Cell, Column, Number, Row, with_query
from services.portal.staff.people import Names, names_at
from services.portal.staff.queues import RULES
from services.portal.staff.rules.shapes import Changed, ChangedPage, DryRun, DryRunPage, Policy
from services.portal.staff.shell import on_desk, side_of
from services.portal.web.answers import passed_on, redirect
from services.portal.web.chips import Chip
from services.portal.web.forms import Faults, Typed, Unfit, change_key, typed
from services.portal.web.visit import VISIT, part

KINDS: Final = {
    "gained": Chip("ok", mark("Gained")),
    "lost": Chip("bad", mark("Lost")),
    "moved": Chip("warn", mark("Other days")),
    "changed": Chip("wait", mark("Other state")),
}
_ROWS: Final = "50"
_RUNS: Final = "20"
_MOST: Final = 1024 * 1024
_MOST_FAULTS: Final = 20


class RulesPages:
    """Handlers of `/staff/rules`."""

    def routes(self) -> list[web.RouteDef]:
        run = f"{RULES.address}/{{run_id}}"
        return [
            web.get(RULES.address, self.policy),
            web.post(RULES.address, self.start),
            web.get(run, self.show),
            web.get(f"{run}/changes.csv", self.download),
        ]

    async def policy(self, request: web.Request) -> web.Response:
        return await self._page(request)

    async def start(self, request: web.Request) -> web.Response:
        """Try a definition: the text of the form, or the file."""
        visit, given = request[VISIT], await typed(request)
        try:
            body = {"definition": await _definition(request, given)}
            key = await change_key(request)
            run = await visit.change("POST", "certs", "/dry-runs", DryRun, key=key, body=body)
        except Unfit as wrong:
            return await self._page(request, wrong.faults, given)
        except Refused as refusal:
            if not refusal.problem.errors:
                raise
            # A definition is refused with all that is wrong with it, each with its line.
            lines = [f"{fault.path}: {fault.message}" for fault in refusal.problem.errors][:_MOST_FAULTS]
            return await self._page(request, {"definition": say("Correct the definition")}, given, lines)
        return redirect(f"{RULES.address}/{quote(run.run_id, safe='')}")

    async def show(self, request: web.Request) -> web.Response:
        visit, after = request[VISIT], request.query.get("after")
        kind = {"kind": request.query["kind"]} if request.query.get("kind") in KINDS else {}
        cursor = {"cursor": after} if after else {}
        path = f"/dry-runs/{quote(request.match_info['run_id'], safe='')}"
        side, run, changes = await asyncio.gather(
            side_of(visit),
            visit.mine("certs", path, DryRun),
            part(visit.mine("certs", f"{path}/changes", ChangedPage, limit=_ROWS, **kind, **cursor)),
        )
        address = f"{RULES.address}/{quote(run.run_id, safe='')}"
        values: dict[str, Any] = {
            "queue": RULES,
            "run": run,
            "running": run.state != "finished",
            "numbers": numbers_of(run),
            "columns": [
                Column(say("Candidate")),
                Column(say("Certification")),
                Column(say("What")),
                Column(say("Now")),
                Column(say("With the new rules")),
            ],
            "rows": None if changes is None else [row_of(one) for one in changes.items],
            "kinds": [("", say("All changes")), *((name, say(chip.word)) for name, chip in KINDS.items())],
            "kind": kind.get("kind", ""),
            "address": address,
            "base": with_query(address, kind),
            "older": changes.next if changes else None,
            "first": after is None,
        }
        return on_desk(visit, "staff/rules/run.html", heading_of(run), side, **values)

    async def download(self, request: web.Request) -> web.Response:
        path = f"/dry-runs/{quote(request.match_info['run_id'], safe='')}/changes.csv"
        return passed_on(await request[VISIT].fetch_mine("certs", path))

    async def _page(
        self,
        request: web.Request,
        faults: Faults | None = None,
        given: Typed | None = None,
        lines: list[str] | None = None,
    ) -> web.Response:
        visit = request[VISIT]
        after = request.query.get("after")
        cursor = {"cursor": after} if after else {}
        side, names, policy, runs = await asyncio.gather(
            side_of(visit),
            names_at(visit),
            part(visit.mine("certs", "/policy", Policy)),
            part(visit.mine("certs", "/dry-runs", DryRunPage, limit=_RUNS, **cursor)),
        )
        values: dict[str, Any] = {
            "queue": RULES,
            "policy": policy,
            "faults": faults or {},
            "given": given or {},
            "lines": lines or [],
            "columns": [Column(say("Started")), Column(say("Version")), Column(say("By")), Column(say("Shown"))],
            "runs": None if runs is None else [run_row(each, names) for each in runs.items],
            "older": runs.next if runs else None,
            "first": after is None,
        }
        return on_desk(visit, "staff/rules/page.html", say(RULES.title), side, problem=bool(faults), **values)


async def _definition(request: web.Request, given: Typed) -> str:
    """What was pasted or uploaded. Raises `Unfit`."""
    file = (await request.post()).get("file")
    if isinstance(file, web.FileField) and file.filename:
        content = file.file.read(_MOST + 1)
        if len(content) > _MOST:
            raise Unfit({"file": say("This file is too large. A definition can have up to 1 MB")})
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise Unfit({"file": say("Choose a text file (YAML, UTF-8)")}) from None
    if not given.get("definition"):
        raise Unfit({"definition": say("Paste a definition, or choose a file")})
    return str(given["definition"])


def heading_of(run: DryRun) -> str:
    """The answer: how many candidates the new rules hit."""
    if run.state != "finished":
        return say("Version {version} is being tried", version=run.to_version)
    if not run.affected:
        return say("Version {version} changes nothing for anybody", version=run.to_version)
    return say_many(
        "Version {version} changes certifications of {count} candidate",
        "Version {version} changes certifications of {count} candidates",
        run.affected,
        version=run.to_version,
    )


def run_row(run: DryRun, names: Names) -> Row:
    """A run in the list of earlier ones; it opens its report."""
    versions = say("{before} to {after}", before=run.from_version, after=run.to_version)
    return Row(
        run.run_id,
        (
            Cell(minute(run.created_at)),
            Cell(versions, href=f"{RULES.address}/{quote(run.run_id, safe='')}"),
            Cell(names.of(run.created_by)),
            Cell(heading_of(run)),
        ),
    )


def numbers_of(run: DryRun) -> list[Number]:
    """Certifications gained and lost, and candidates that stay as they are."""
    return [
        Number(sum(each.gained for each in run.counts), say("certifications gained")),
        Number(sum(each.lost for each in run.counts), say("certifications lost")),
        Number(sum(each.moved + each.changed for each in run.counts), say("with other days or states")),
        Number(run.done - run.affected, say("candidates without a change")),
    ]


def row_of(one: Changed) -> Row:
    chip = KINDS.get(one.kind, Chip("off", one.kind))
    return Row(
        one.candidate_id,
        (
            Cell(one.candidate_id, own=True),
            Cell(one.certification, own=True),
            Cell(chip=chip, second=one.because),
            Cell(state_of(one.before) if one.before else NONE),
            Cell(state_of(one.after) if one.after else NONE),
        ),
    )
