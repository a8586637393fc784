"""People's rights to what is held about them: an export of it, its erasure, and the record of what they agreed to."""
