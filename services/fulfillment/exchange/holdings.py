"""What the exchange with fulfilment houses keeps of somebody erased: that a parcel was asked for, not for whom."""

from libs.common.mongo.client import Document
from libs.common.privacy.pseudonyms import Names

NAMELESS: Document = dict.fromkeys(("tracking_number", "tracking_url", "reason"))
"""What is not kept of a house's word once its candidate is erased, nor taken in any more."""


def dispatch_under_pseudonym(row: Document, names: Names) -> Document:
    """Where an order stands, without whom it is for; it is not asked for once more."""
    nameless = {"candidate_id": names[row["candidate_id"]], "label": "", "reason": None}
    return row | nameless | ({"todo": None, "state": "ended"} if row["sendings"] == 0 else {})


def report_under_pseudonym(row: Document, names: Names) -> Document:
    """What a house said of an order, without what leads to the parcel."""
    return row | {"candidate_id": names[row["candidate_id"]]} | NAMELESS


APART = {
    "houses": "when a fulfilment house was last heard",
    "house_stock": "what a fulfilment house has of each item",
    "order_lists": "which lists of fulfilment houses were compared, and what was found in numbers",
    "outgoing_files": "files to houses, for 30 days; of one with the person nothing is left once it is delivered",
    "exchanges": "numbers of files, and what keeps us from a fulfilment house",
    "confirmations": "how answers of fulfilment houses were read, for 90 days",
}
