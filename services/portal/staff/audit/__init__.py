"""Who saw and changed what, as every service's own log has it."""
