"""Whether a program takes passwords of ours at all."""

from collections.abc import Mapping

from libs.common.http.problems import Problem
from libs.common.programs import Program
from services.identity.login.problems import LOCAL_PASSWORDS_OFF


def require_local_passwords(programs: Mapping[str, Program], program: str) -> None:
    """Raise the problem `local-passwords-off` where a program leaves signing in to its provider alone."""
    found = programs.get(program)
    if found is not None and not found.sign_in.local_passwords:
        provider = found.sign_in.openid
        raise Problem(LOCAL_PASSWORDS_OFF, f"sign in with {provider.name}" if provider else None)
