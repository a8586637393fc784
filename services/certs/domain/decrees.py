"""What the program itself decides for a candidate: opening balances, extensions, granted years of emeritus."""

from collections.abc import Iterable
from datetime import date

from libs.common.languages.days import spoken
from libs.common.programs import add_months, add_years
from libs.common.programs.policy import Policy
from services.certs.domain import flags
from services.certs.domain.facts import EmeritusFact, ExtensionFact, ImportFact
from services.certs.domain.flags import Flag
from services.certs.domain.held import Held, imported
from services.certs.domain.rules import CertificationRule
from services.certs.domain.standing import Ground
from services.certs.languages import say, say_many


def taken_over(
    fact: ImportFact, rule: CertificationRule, before: Held | None, policy: Policy
) -> tuple[Held, Flag | None]:
    """An opening balance, its time divided as an older rule did where it names one."""
    held = imported(rule, fact, before)
    if fact.validity is None:
        return held, None
    legacy = (policy.legacy_validity or {}).get(fact.validity)
    if legacy is None:
        text = say("the program knows no validity {name}", name=repr(fact.validity))
        return held, Flag(flags.VALIDITY_UNKNOWN, ":".join(fact.key), text)
    held.divide(legacy, stated=fact.expires_on is not None)
    return held, None


def extend(every: Iterable[Held], fact: ExtensionFact, clause: str, day: date) -> list[Held]:
    """Moves each covered expiry once, from its own date; one that has just passed comes back."""
    moved = []
    for held in every:
        end = held.expires_on
        if end is None:
            continue
        covered = held.active(day) if fact.window is None else fact.window[0] <= end <= fact.window[1]
        if covered and held.revoked is None:
            words = say_many(
                "extended by {count} month on {day}",
                "extended by {count} months on {day}",
                fact.months,
                day=spoken(fact.on),
            )
            ground = Ground(":".join(fact.key), clause, words, fact.on)
            held.extend(day, add_months(end, fact.months), ground)
            moved.append(held)
    return moved


def grant(held: Held | None, fact: EmeritusFact, today: date) -> Flag | None:
    """Grants a year of emeritus once it is paid; what is odd about it is flagged."""
    subject = ":".join(fact.key)
    rules = held.rule.emeritus if held is not None else None
    if held is None or held.revoked is not None or rules is None:
        text = say("{certification} is not held, or has no emeritus", certification=fact.certification)
        return Flag(flags.EMERITUS_NOT_ELIGIBLE, subject, text)
    if fact.paid_on is None or fact.paid_on > today:
        return Flag(flags.EMERITUS_UNPAID, subject, say("the year granted on {day} is not paid", day=spoken(fact.on)))
    if not held.grant(fact, rules.years_per_grant, rules.clause):
        text = say("the grant of {day} comes after the last day", day=spoken(fact.on))
        return Flag(flags.EMERITUS_LATE, subject, text)
    if add_years(held.since, rules.eligible_after_years) > (held.expires_on or date.max):
        return Flag(flags.EMERITUS_EARLY, subject, say("granted before the years the program asks for"))
    return None
