"""Identity: who a candidate is, which partners' ids are theirs, and who may enter."""
