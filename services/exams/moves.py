"""Whether what a vendor has reported follows its link to another candidate."""

from libs.common.bus.messages import Received
from libs.common.events import identity
from libs.common.mongo.client import Document
from libs.common.mongo.links import LinkEvent, owner_of


def follows(row: Document, item: Received[LinkEvent]) -> bool:
    """Whether a row is to follow its link. What a merge moves stays whose it was: the merge itself joins the two.

    What staff have assigned stays where they put it until they take it back.
    """
    if row.get("assigned"):
        return False
    if row["candidate_id"] is None:
        return owner_of(item) is not None
    by_merge = isinstance(item.data, identity.ExternalIdLinked) and item.data.merge_id is not None
    return row["candidate_id"] != owner_of(item) and not by_merge
