"""What several parts of the API take and give."""

from datetime import date

from libs.common.events.types import Identifier
from libs.common.http.models import Parameters, View


class ProgramPath(Parameters):
    program: Identifier


class CandidatePath(ProgramPath):
    candidate_id: Identifier


class SideView(View):
    """A certification as it is, or as it would be."""

    status: str
    earned_on: date
    expires_on: date | None
