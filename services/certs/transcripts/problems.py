"""What the public pages of transcripts and codes are refused with."""

from libs.common.http.problems import ProblemType

LINK_ENDED = ProblemType("link-ended", "This link has ended", 410)
"""The same for one that its owner closed and for one past its day: which of both is nobody's business."""

NOT_ACCEPTABLE = ProblemType("not-acceptable", "There is no representation of such a kind", 406)
