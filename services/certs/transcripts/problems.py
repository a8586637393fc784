"""What public pages of transcripts and codes are refused with, beside what all services have."""

from libs.common.http.problems import ProblemType

NOT_ACCEPTABLE = ProblemType("not-acceptable", "There is no representation of such a kind", 406)
