"""Makes, changes and withdraws transcripts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from libs.common.clock import Clock
from libs.common.events import certs as events
from libs.common.http.problems import CONFLICT, Problem, invalid
from libs.common.mongo.unit_of_work import Transaction, UnitOfWork
from libs.common.programs import Program
from libs.common.programs.calendar import add_days
from libs.common.spoken import spoken
from services.certs.availability import AGREEMENT_MISSING, NOT_ACTIVE
from services.certs.ledgers import Ledgers
from services.certs.public.codes import Codes, new_code
from services.certs.store import CertsStore
from services.certs.transcripts.links import LinkKeys
from services.certs.transcripts.reading import TranscriptReader
from services.certs.transcripts.shown import Shown, ShownCertification, ShownExam, former_names
from services.certs.transcripts.store import Transcript, TranscriptStore
from services.certs.transcripts.views import TranscriptBody, TranscriptEdit

DAYS: Final = 90
"""How long a link is open unless its owner says otherwise."""
LONGEST: Final = timedelta(days=3 * 366)
MOST_OPEN: Final = 100
"""Links of one candidate that are open at once."""


class Publishing:
    """What candidates do with their transcripts."""

    def __init__(
        self,
        certs: CertsStore,
        store: TranscriptStore,
        reader: TranscriptReader,
        ledgers: Ledgers,
        *,
        codes: Codes,
        links: LinkKeys,
        unit_of_work: UnitOfWork,
        clock: Clock,
    ) -> None:
        self._certs = certs
        self._store = store
        self._reader = reader
        self._ledgers = ledgers
        self._codes = codes
        self._links = links
        self._unit_of_work = unit_of_work
        self._clock = clock

    async def publish(
        self, program: Program, candidate_id: str, transcript_id: str, body: TranscriptBody
    ) -> Transcript:
        """A new transcript and its link; with the same id again, the one there is.

        Raises:
            Problem: `invalid-request`, `certification-not-active`, `agreement-missing`, or `conflict` where the name
                has not arrived here yet or too many links are open.
        """
        through = self._through(program, body.valid_through)
        accounts = await self._certs.accounts(program.id, candidate_id)
        chosen = await self._chosen(program, candidate_id, body)
        name = await self._reader.name(program.id, await self._account(program, candidate_id))
        if name is None:
            raise Problem(CONFLICT, "your name has not arrived here yet: try again in a minute")
        link, frozen = self._links.new(), body.kind == "frozen"

        async def work(transaction: Transaction) -> Transcript:
            known = await self._store.get(transcript_id, transaction.session)
            if known is not None:
                return known
            if await self._store.open_ones(transaction.session, accounts, transaction.now) >= MOST_OPEN:
                raise Problem(CONFLICT, f"{MOST_OPEN} links are open: withdraw one first")
            made = Transcript(
                transcript_id=transcript_id,
                program=program.id,
                candidate_id=candidate_id,
                link=link.hashed,
                sealed=link.sealed,
                code=new_code(),
                label=body.label,
                remarks=body.remarks,
                kind=body.kind,
                chosen=chosen,
                frozen_on=program.day_of(transaction.now) if frozen else None,
                frozen_name=name if frozen else None,
                valid_through=through,
                ends_at=program.end_of(through),
                created_at=transaction.now,
                withdrawn_at=None,
            )
            await self._store.add(transaction.session, made)
            await self._codes.add(
                transaction.session, made.code, program=program.id, kind="transcript", subject=transcript_id
            )
            said = events.TranscriptPublished(
                candidate_id=candidate_id, transcript_id=transcript_id, kind=made.kind, valid_through=through
            )
            await self._say(transaction, program, candidate_id, said)
            return made

        return await self._unit_of_work.run(work)

    async def edit(self, program: Program, transcript: Transcript, body: TranscriptEdit) -> Transcript:
        """Replace what it says. A frozen one keeps its items. Raises the same problems as `publish`."""
        kept = body.valid_through in {None, transcript.valid_through}
        through = transcript.valid_through if kept else self._through(program, body.valid_through)
        if transcript.kind == "frozen":
            _check_frozen(transcript.chosen, body)
            chosen = transcript.chosen
        else:
            chosen = await self._chosen(program, transcript.candidate_id, body, before=transcript.chosen)

        async def work(transaction: Transaction) -> Transcript:
            present = await self._store.get(transcript.transcript_id, transaction.session)
            if present is None or present.withdrawn_at is not None:
                raise Problem(CONFLICT, "it is withdrawn: make a new one instead")
            changed = present._replace(
                label=body.label,
                remarks=body.remarks,
                chosen=chosen,
                valid_through=through,
                ends_at=program.end_of(through),
            )
            await self._store.change(transaction.session, changed)
            return changed

        return await self._unit_of_work.run(work)

    async def withdraw(self, program: Program, transcript: Transcript) -> None:
        """Close the link for good; again, it changes nothing."""

        async def work(transaction: Transaction) -> None:
            present = await self._store.get(transcript.transcript_id, transaction.session)
            if present is None or present.withdrawn_at is not None:
                return
            await self._store.change(transaction.session, present._replace(withdrawn_at=transaction.now))
            said = events.TranscriptWithdrawn(candidate_id=present.candidate_id, transcript_id=present.transcript_id)
            await self._say(transaction, program, present.candidate_id, said)

        await self._unit_of_work.run(work)

    async def _say(
        self,
        transaction: Transaction,
        program: Program,
        candidate_id: str,
        said: events.TranscriptPublished | events.TranscriptWithdrawn,
    ) -> None:
        opened = await self._ledgers.open(transaction, [(program.id, candidate_id)])
        ledger = opened[program.id, candidate_id]
        ledger.say(said, transaction, None)
        await self._ledgers.save(transaction, [ledger])

    async def _account(self, program: Program, candidate_id: str) -> str:
        row = await self._certs.certifications(program.id, candidate_id)
        return row["_id"] if row is not None else candidate_id

    async def _chosen(
        self, program: Program, candidate_id: str, body: TranscriptEdit, *, before: Shown | None = None
    ) -> Shown:
        """The items named, as they are now; what was chosen before may stay, whatever has become of it."""
        choices = await self._reader.choices(program, candidate_id)
        old = before or Shown()
        certifications = _named_certifications(body.certifications, choices, old, former_names(program))
        exams = _named_exams(body.exams, choices, old)
        if body.credits and choices.credits is None and old.credits is None:
            raise invalid("body.credits", "none", "no credits count at present")
        if not certifications and not exams and not body.credits:
            raise invalid("body", "empty", "choose something to show")
        return Shown(certifications, exams, (choices.credits or old.credits) if body.credits else None)

    def _through(self, program: Program, wanted: date | None) -> date:
        today = program.day_of(self._clock.now())
        through = wanted or add_days(today, DAYS)
        if not today <= through <= today + LONGEST:
            raise invalid("body.valid_through", "day", f"must lie between today and {spoken(today + LONGEST)}")
        return through


def _named_certifications(
    names: Iterable[str], choices: Shown, before: Shown, former: Mapping[str, str]
) -> tuple[ShownCertification, ...]:
    held = {one.certification: one for one in choices.certifications}
    kept = {one.certification: one for one in before.certifications}
    found = []
    for position, name in enumerate(dict.fromkeys(names)):
        one = held.get(name) or held.get(former.get(name, name)) or kept.get(name)
        if one is None:
            raise invalid(f"body.certifications.{position}", "unknown", "it was never earned")
        if name not in kept:
            _check_available(one)
        found.append(one)
    return tuple(found)


def _named_exams(codes: Iterable[str], choices: Shown, before: Shown) -> tuple[ShownExam, ...]:
    passed = {one.exam: one for one in before.exams} | {one.exam: one for one in choices.exams}
    found = []
    for position, code in enumerate(dict.fromkeys(codes)):
        if code not in passed:
            raise invalid(f"body.exams.{position}", "unknown", "no pass of it counts")
        found.append(passed[code])
    return tuple(found)


def _check_available(one: ShownCertification) -> None:
    """What has expired may be shown, since the page says so; what was taken back or is not awarded yet may not."""
    if one.state == "waiting":
        raise Problem(AGREEMENT_MISSING, "Not available: the certification agreement has not been accepted.")
    if one.state == "revoked":
        when = f"it was revoked on {spoken(one.revoked_on)}" if one.revoked_on else "it was revoked"
        raise Problem(NOT_ACTIVE, f"Not available: {when}.", more={"reason": one.state})
    if one.state == "suspended":
        raise Problem(NOT_ACTIVE, "Not available: it is suspended.", more={"reason": one.state})


def _check_frozen(chosen: Shown, body: TranscriptEdit) -> None:
    same = (
        _same([one.certification for one in chosen.certifications], body.certifications)
        and _same([one.exam for one in chosen.exams], body.exams)
        and (chosen.credits is not None) == body.credits
    )
    if not same:
        raise Problem(CONFLICT, "a frozen transcript keeps its items: make a new one instead")


def _same(one: Sequence[str], other: Sequence[str]) -> bool:
    return sorted(one) == sorted(set(other))
