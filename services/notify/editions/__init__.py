"""Words that staff put in place of ours: versions of a mail by program, kind and language, checked before use."""
