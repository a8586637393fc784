"""Pages that say one thing: what is refused, and why, in the reader's language."""

from services.certs.languages import say
from services.certs.pages.frame import message


def ended() -> bytes:
    """What a link leads to that was withdrawn or has ended."""
    return message(say("This link has ended."), say("It says nothing about the person. Ask them for a new one."))


def unknown_link() -> bytes:
    return message(
        say("There's nothing here."),
        say("Check the address: it may have been cut off. A code can be typed in below."),
        form=True,
    )


def unknown_badge() -> bytes:
    return message(
        say("We didn't issue a badge with this address."), say("Check the address, or type in its code."), form=True
    )


def unknown_code(typed: str) -> bytes:
    """For a code that there is not, with what was typed, so that it can be compared and mended."""
    return message(
        say("We didn't issue anything with this code."),
        say("Check for 0 and O, 1 and I; codes have 12 characters."),
        form=True,
        typed=typed,
    )


def code_form() -> bytes:
    """Where a code is typed in."""
    return message(
        say("Check a code"),
        say("Type in the code that is printed on a certificate, a badge or a transcript."),
        form=True,
    )


def unavailable() -> bytes:
    return message(say("We can't check right now, so we say nothing."), say("Try again in a few minutes."))


def too_many() -> bytes:
    return message(say("Too many checks from your network."), say("Wait a moment, then open the page again."))


def no_file() -> bytes:
    """For a form without a file that could be read."""
    return message(say("No file has reached us."), say("Go back and choose one."))
