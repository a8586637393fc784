"""Questions to staff: one thread and one promise each."""
