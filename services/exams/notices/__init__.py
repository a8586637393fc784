"""Notifications: what vendors say over HTTPS as it happens, answered once it is kept."""
