"""What is said of vendors that were asked about late results. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from services.portal.languages import mark, say, say_many
from services.portal.languages.days import spoken
from services.portal.staff.people import Names
from services.portal.staff.results.shapes import Late, Noted, Question
from services.portal.web.chips import Chip
from services.portal.web.vendor_names import vendor_name

HOWS: Final = {
    "mail": mark("By e-mail"),
    "phone": mark("By phone"),
    "portal": mark("On the vendor's own page"),
    "other": mark("Otherwise"),
}


def chip_of(item: Late, today: date) -> Chip:
    """Whether somebody has to ask: the vendor was not asked, has time to answer, or has let that time pass."""
    if item.ask_again_on is None:
        return Chip("warn", mark("Not asked yet"))
    return Chip("warn", mark("Ask again")) if item.ask_again_on <= today else Chip("wait", mark("Was asked"))


def since_said(item: Late) -> str:
    """Since when an answer is waited for, and until when; empty where nobody has asked."""
    if item.ask_again_on is None or not item.questions:
        return ""
    last, again = spoken(item.questions[0].asked_on), spoken(item.ask_again_on)
    return say("Asked on {day}; ask again from {again}", day=last, again=again)


def steps_of(questions: Sequence[Question], names: Names) -> list[tuple[object, str, str]]:
    """Who asked, when and how, the latest first."""
    return [
        (
            one.at,
            say(
                "{who} asked on {day}: {how}",
                who=names.of(one.by),
                day=spoken(one.asked_on),
                how=say(HOWS.get(one.how, one.how)),
            ),
            one.note,
        )
        for one in questions
    ]


def follows(items: Sequence[Late]) -> list[str]:
    """What noting a question about several results does, with the results."""
    vendor = vendor_name(items[0].vendor)
    return [
        say_many(
            "It is noted for {count} result that {vendor} was asked.",
            "It is noted for {count} results that {vendor} was asked.",
            len(items),
            vendor=vendor,
        ),
        say("Candidates whose result it is read that we asked, and when."),
        say("Without an answer they come up again after three business days."),
        *(
            say(
                "{registration}: exam {exam}, sat on {day}, due by {due}",
                registration=one.registration_id,
                exam=one.exam_code,
                day=one.scheduled_at.date().isoformat(),
                due=one.due_on.isoformat(),
            )
            for one in items
        ),
    ]


def noted_said(noted: Noted) -> str:
    """What became of it."""
    done = say_many("noted for {count} result", "noted for {count} results", noted.noted)
    if not noted.left_out:
        return done
    return say("{noted}; {count} left out, which came meanwhile or were not sat yet", noted=done, count=noted.left_out)
