"""The problems of signing in with a provider."""

from libs.common.http.problems import UNAVAILABLE, Problem, ProblemType

SIGN_IN_INVALID = ProblemType("sign-in-invalid", "The sign-in is unknown, was finished before, or is too old", 410)
SIGN_IN_REFUSED = ProblemType("sign-in-refused", "The provider's answer does not prove who somebody is", 401)


def provider_away(why: str) -> Problem:
    """The problem `unavailable`, where it is the provider that we cannot go on without."""
    return Problem(UNAVAILABLE, f"the identity provider {why}: sign in again later", headers={"Retry-After": "10"})
