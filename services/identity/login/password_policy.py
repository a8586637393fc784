"""Whether a person may have a password: strong enough for them, and not leaked."""

from collections.abc import Mapping

from libs.common.http.problems import invalid
from libs.common.mongo.client import Document
from libs.common.programs import Program
from services.identity.domain.password_rules import fault
from services.identity.login.breached import Breached
from services.identity.login.local_passwords import require_local_passwords

FIELD = "body.password"


class PasswordPolicy:
    """Judges new passwords; those that exist stay as they are."""

    def __init__(self, breached: Breached, programs: Mapping[str, Program]) -> None:
        self._breached = breached
        self._programs = programs

    def check(self, password: str, account: Document) -> None:
        """Raise the problem `invalid-request`, naming the field, for a password that the account must not have.

        Raises `local-passwords-off` where the account's program takes none at all.
        """
        require_local_passwords(self._programs, account["program"])
        program = self._programs.get(account["program"])
        personal = (
            account["_id"],
            account["email"],
            account["email"].partition("@")[0],
            account["given_name"],
            account["family_name"],
            account["program"],
            "certrail",
            program.name if program else "",
        )
        found = fault(password, personal)
        if found:
            raise invalid(FIELD, "password_weak", found)
        if password in self._breached:
            raise invalid(FIELD, "password_leaked", "is known from leaked passwords, or made of one by small changes")
