"""Plays what is known in order of the days of effect: the state of every day follows from the day before.

So a late, voided, restored or modified result changes the past: holdings join or break, credits find another window,
and what rested on it falls. Within a day: imports, exams, courses, credits, then what the program itself does, last
what its staff decided.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from heapq import heappop, heappush

from services.certs.domain import doubts
from services.certs.domain.courses import claimed_late
from services.certs.domain.credit import Credits
from services.certs.domain.days import Day, Decrees
from services.certs.domain.decisions import decided
from services.certs.domain.decrees import extend, grant, taken_over
from services.certs.domain.facts import CourseFact, CreditFact, DecisionFact, ExamFact, ImportFact
from services.certs.domain.flags import Flag
from services.certs.domain.grounds import completed, ended, from_above, held_since, honoured, passed
from services.certs.domain.held import Held, awarded
from services.certs.domain.results import Dated
from services.certs.domain.rules import CertificationRule, Met, Prerequisite, ProgramRules, filled
from services.certs.domain.standing import Ground
from services.certs.languages import mark

_ONE_DAY = timedelta(days=1)
_EARNED = mark("{certification} earned on {day}")


class Replay:
    """One candidate's certifications, day by day; the `Look` of the requirements."""

    def __init__(
        self, rules: ProgramRules, today: date, names: Mapping[str, CertificationRule], retired: dict[str, date]
    ) -> None:
        self.held_by: dict[str, Held] = {}
        self.passes: dict[str, ExamFact] = {}
        self.flags: list[Flag] = []
        self.decided_by: str | None = None
        self.day = date.min
        self.floor = date.min
        self.renewing = False
        self._rules = rules
        self._today = today
        self._names = names
        self._retired = retired
        self._recent: list[tuple[date, str, ExamFact]] = []  # passes that may renew together with others
        self.credits: Credits | None = None
        """None until credits are played."""
        self._ticks: list[date] = []
        self._renewed = (date.min, 0)  # day and level of the last renewal of everything below

    def play(self, events: dict[date, Day], *, with_credits: bool) -> None:
        """Walks through the days of `events`, and those on which time alone does something."""
        if with_credits:
            self.credits = Credits(self._rules.program.policy.credits)
        days, ticks = sorted(events, reverse=True), self._ticks
        while days or ticks:
            if days and (not ticks or days[-1] <= ticks[0]):
                self.day = days.pop()
                self._play_day(events[self.day])
            else:
                self.day = heappop(ticks)
                self._pass_time()

    # --- A day -------------------------------------------------------------------------------------------------------

    def _play_day(self, happened: Day) -> None:
        if happened.imports:
            for balance in happened.imports:
                self._import(balance)
            self._award_waiting()
        if happened.exams:
            self._examine(happened.exams)
        for course in happened.courses:
            self._course(course)
        if self.credits is not None:
            for claim in happened.credits:
                self._credit(claim)
            self._spend_credits()
        if happened.decrees is not None:
            self._decreed(happened.decrees)
        if happened.exams and self._rules.practicals:
            self._check_practicals(happened.exams)

    def _decreed(self, decrees: Decrees) -> None:
        if decrees.extensions:
            for extension, clause in decrees.extensions:
                for held in extend(self.held_by.values(), extension, clause, self.day):
                    self._tick_after(held)
            self._renewed = (date.min, 0)  # an extension can bring back what was not active before
            self._award_waiting()
        for granted in decrees.emeritus:
            rule = self._names.get(granted.certification)
            self._flag(grant(self.held_by.get(rule.certification.id) if rule else None, granted, self._today))
        for decision in decrees.decisions:
            self._decide(decision)

    def _decide(self, fact: DecisionFact) -> None:
        rule = self._names.get(fact.certification)
        if rule is None:
            self.flags.append(doubts.unknown(fact.certification, fact.decision_id))
            return
        name = rule.certification.id
        made = decided(fact, rule, self.held_by.get(name), self._retired.get(name, date.max))
        if isinstance(made, Flag):
            self.flags.append(made)
            return
        self.held_by[name] = made
        self._tick_after(made)
        self._renewed = (date.min, 0)  # it can bring back what was not active before
        if fact.decision == "grant":
            self._renew_below(made, _EARNED)
        if fact.decision in ("grant", "reinstate"):
            self._award_waiting()
        if self.credits is not None:
            self._spend_credits()

    def _pass_time(self) -> None:
        """A day on which nothing happened but an end: a prerequisite is active again, a lower level is the highest."""
        self._award_waiting()
        if self.credits is not None:
            self._spend_credits()

    def _tick_after(self, held: Held) -> None:
        if self.credits is not None and held.expires_on is not None and held.expires_on < self._today:
            heappush(self._ticks, held.expires_on + _ONE_DAY)

    def held(self, certification: str) -> tuple[date, date] | None:
        held = self.held_by.get(certification)
        if held is None or held.suspended or not held.active(self.day):
            return None
        return held.earned_on, held.cycle_from

    # --- Exams -------------------------------------------------------------------------------------------------------

    def _examine(self, passes: list[Dated]) -> None:
        """A day's passes: those that wait for nothing renew at once, then come awards, then what these complete."""
        acting: list[tuple[str, ExamFact]] = []
        touched: set[int] = set()
        rules, day = self._rules, self.day
        for _, code, _, fact in passes:
            if code in rules.counts_together:
                self._recent.append((day, code, fact))
            waits_for = rules.waiting.get(code)
            if waits_for is None or self._acts_now(code, waits_for):
                acting.append((code, fact))
            if waits_for is None or not self._used_above(code, waits_for):
                self.passes[code] = fact
                touched.update(rules.touched.get(code, ()))
        for code, fact in acting:
            self._renew_by_exam(code, fact)
        if touched:
            self._award(touched)

    def _acts_now(self, code: str, waits_for: CertificationRule) -> bool:
        own = self.held_by.get(waits_for.certification.id)
        return (own is not None and own.active(self.day)) or self._used_above(code, waits_for)

    def _used_above(self, code: str, waits_for: CertificationRule) -> bool:
        """Whether a pass whose own certification is not held renews one of a higher level, and is used up by it."""
        own = self.held_by.get(waits_for.certification.id)
        if own is not None and own.active(self.day):
            return False
        return any(
            code in held.rule.alone
            and held.rule.rank >= waits_for.rank
            and ((held.rule.rank > waits_for.rank and held.renewable(self.day)) or held.reactivatable(self.day))
            for held in self.held_by.values()
        )

    def _renew_by_exam(self, code: str, fact: ExamFact) -> None:
        """Renews whatever the pass suffices for, alone or with the other exams of the cycle."""
        day = self.day
        joins = code in self._rules.counts_together
        for held in tuple(self.held_by.values()):
            rule = held.rule
            if held.cycle_from >= day:
                continue
            way = rule.alone.get(code)
            if way is None and not (joins and rule.together):
                continue
            if not held.renewable(day):
                if way is not None and held.reactivatable(day):
                    self._reactivate(held, (passed(code, fact, way.clause),), "exam")
                continue
            if way is not None:
                self._renew(held, (passed(code, fact, way.clause),), "exam")
                continue
            for several in rule.together:
                found = self.fill(several.slots, held.cycle_from)
                if found is not None:
                    self._renew(held, tuple(passed(*one, several.clause) for one in found), "exam")
                    break

    def fill(self, slots: tuple[frozenset[str], ...], after: date) -> list[tuple[str, ExamFact]] | None:
        """Passes after a day that fill every slot, each with a code of its own; None where there are not enough."""
        recent = {code: fact for on, code, fact in self._recent if on > after}
        return filled(slots, recent)

    def passed_since(self, after: date) -> list[str]:
        """Codes passed after a day that may renew together with others."""
        return [code for on, code, _ in self._recent if on > after]

    def _check_practicals(self, passes: list[Dated]) -> None:
        """A lab does not wait: what it needs is there at the end of its day, or it earns nothing."""
        for _, code, _, fact in passes:
            if code in self._rules.practicals:
                self._check_practical(code, fact)

    def _check_practical(self, code: str, fact: ExamFact) -> None:
        for rule in self._rules.practicals[code]:
            own = self.held_by.get(rule.certification.id)
            if own is not None and own.active(self.day):
                continue
            if self.day >= self._retired.get(rule.certification.id, date.max):
                continue
            others = rule.names - {code}
            once = any(name in self.passes or name in self.held_by for name in others)
            self.flags.append(doubts.lacking(code, fact, others, once=once))

    # --- Awards ------------------------------------------------------------------------------------------------------

    def _award_waiting(self) -> None:
        if self.passes:
            self._award({position for code in self.passes for position in self._rules.touched.get(code, ())})

    def _award(self, positions: Iterable[int]) -> None:
        """Tries certifications, prerequisites first."""
        ordered, passes = self._rules.ordered, self.passes
        for position in sorted(positions):
            rule = ordered[position]
            # Most of what a pass can lead to lacks its own exam: those are passed over without a look.
            if rule.needs_one_of is None or not rule.needs_one_of.isdisjoint(passes):
                self._attempt(rule)

    def _attempt(self, rule: CertificationRule) -> None:
        name = rule.certification.id
        before = self.held_by.get(name)
        self.renewing = before is not None and before.active(self.day)
        if self.renewing and rule.certification.renewal:
            return
        if self._retired and self.day >= self._retired.get(name, date.max):
            return
        self.floor = date.min if before is None else before.cycle_from
        met = rule.part.meet(self)
        if met is None or met.newest <= self.floor:
            return
        grounds = self._grounds(rule, met)
        if before is not None and self.renewing:  # a program without ways to renew: by being earned again
            self._renew(before, grounds, "exam")
            return
        held = self.held_by[name] = awarded(rule, self.day, grounds, before)
        held.retired_on = self._retired.get(name, date.max)
        self._tick_after(held)
        self._renew_below(held, _EARNED)
        if rule.needs_certifications:
            for item in met.evidence:
                if isinstance(item, ExamFact) and item.taken_on <= self.day:
                    self._renew_by_exam(self._rules.exams[item.code].code, item)

    def _grounds(self, rule: CertificationRule, met: Met) -> tuple[Ground, ...]:
        found = []
        for item in met.evidence:
            if isinstance(item, Prerequisite):
                found.append(held_since(item, rule.requires_clause))
            else:
                found.append(passed(self._rules.exams[item.code].code, item, rule.requires_clause))
        return tuple(found)

    # --- Renewals ----------------------------------------------------------------------------------------------------

    def _renew(self, held: Held, grounds: tuple[Ground, ...], by: str) -> None:
        held.renew(self.day, grounds, by)
        self._tick_after(held)
        self._renew_below(held, mark("{certification} renewed on {day}"))

    def _renew_below(self, cause: Held, what: str) -> None:
        """Who earns or renews at a level renews all that is active at that level and below, from the same day."""
        if not cause.rule.on_ladder:
            return
        rank, day = cause.rule.rank, self.day
        if self.credits is not None:
            self.credits.lapse(rank, day)
        if self._renewed == (day, rank):  # nothing is left to renew
            return
        self._renewed = day, rank
        grounds: tuple[Ground, ...] = ()
        for held in self.held_by.values():
            rule = held.rule
            if rule.on_ladder and rule.rank <= rank and held.cycle_from < day and held.renewable(day):
                grounds = grounds or (from_above(cause, what, day),)
                held.renew(day, grounds, "above")
                if self.credits is not None:
                    self._tick_after(held)

    def _reactivate(self, held: Held, grounds: tuple[Ground, ...], by: str) -> None:
        """Brings back a designated holder's certification and the lower ones of its track, as first earned."""
        designation = held.rule.designation
        if designation is None:
            return
        grounds = (*grounds, honoured(held, designation))
        held.renew(self.day, grounds, by, "reactivated")
        for other in self.held_by.values():
            rule = other.rule
            below = rule.rank < held.rule.rank and rule.tracks & held.rule.tracks
            lapsed = other.revoked is None and not other.active(self.day)
            if below and lapsed and self.day < other.retired_on:
                other.renew(self.day, grounds, by, "reactivated")

    # --- Other facts -------------------------------------------------------------------------------------------------

    def _import(self, fact: ImportFact) -> None:
        rule = self._names.get(fact.certification)
        if rule is None:
            self.flags.append(doubts.unknown(fact.certification, ":".join(fact.key)))
            return
        name = rule.certification.id
        before = self.held_by.get(name)
        if before is not None and before.active(self.day):
            before.take_over(fact)
            return
        held, flag = taken_over(fact, rule, before, self._rules.program.policy)
        held.retired_on = self._retired.get(name, date.max)
        self.held_by[name] = held
        self._flag(flag)
        self._tick_after(held)
        if held.dormant is not None and held.dormant[1] <= self._today:
            heappush(self._ticks, held.dormant[1])

    def _flag(self, flag: Flag | None) -> None:
        if flag is not None:
            self.flags.append(flag)

    def _course(self, fact: CourseFact) -> None:
        """Renews what is active in the course's track at its level or below, from its last day."""
        courses = self._rules.program.policy.courses
        if courses is None:
            return
        rule = courses.on(fact.last_day)
        rank = self._rules.ranks[fact.level]
        acted = False
        for held in tuple(self.held_by.values()):
            fits = held.rule.rank <= rank and fact.track.casefold() in held.rule.tracks
            if not fits or held.cycle_from >= self.day:
                continue
            back = held.reactivatable(self.day)
            if not back and not held.renewable(self.day):
                continue
            name = held.rule.certification.id
            if not back and claimed_late(fact, courses, held):
                self.flags.append(doubts.late(fact, name))
                continue
            acted = True
            if not rule.in_a_row and held.by == "course":
                self.flags.append(doubts.second_in_a_row(fact, name))
                continue
            grounds = (ended(fact, rule.clause),)
            if back:
                self._reactivate(held, grounds, "course")
            else:
                held.renew(self.day, grounds, "course")
        if acted:
            self.decided_by = rule.name if rule is not courses.present else None

    # --- Credits -----------------------------------------------------------------------------------------------------

    def _highest(self) -> int | None:
        ranks = [held.rule.rank for held in self.held_by.values() if held.rule.on_ladder and held.active(self.day)]
        return max(ranks, default=None)

    def _credit(self, fact: CreditFact) -> None:
        """Credits belong to the level that is the highest at the end of their day, and help no other."""
        rank = self._highest()
        if rank is None or self.credits is None:
            self.flags.append(doubts.unusable(fact))
            return
        self.credits.add(rank, fact)

    def _spend_credits(self) -> None:
        """Renews the highest level where its credits, alone or with exams of the cycle, are enough."""
        rank = self._highest()
        if rank is None or self.credits is None or not self.credits.at(rank):
            return
        for held in tuple(self.held_by.values()):
            if held.rule.rank != rank or not held.rule.on_ladder or not held.renewable(self.day):
                continue
            claims = self.credits.of_cycle(rank, held.cycle_from)
            total = sum(claim.credits for claim in claims)
            for way in held.rule.mixed:
                found = self.fill(way.slots, held.cycle_from) if total >= way.credits else None
                if found is None:
                    continue
                credit = completed(claims[-1], total, way.clause)
                self._renew(held, (*(passed(*one, way.clause) for one in found), credit), "credits")
                self.credits.use(claims, held.rule.certification.id, self.day)
                return
