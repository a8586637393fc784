"""The problems of the way in, beside those that every service has."""

from libs.common.http.problems import ProblemType

LINK_INVALID = ProblemType("link-invalid", "The link is unknown, was used before, or is too old", 410)
TOO_MANY_TRIES = ProblemType("too-many-tries", "There were too many tries from this address", 429)
SECOND_FACTOR_NEEDED = ProblemType("second-factor-needed", "The account asks for a code as well", 401)
LOCAL_PASSWORDS_OFF = ProblemType(
    "local-passwords-off", "The program takes no passwords: sign in with its provider", 403
)
STEP_UP_NEEDED = ProblemType("step-up-needed", "This needs a proof of who you are from the last minutes", 401)
