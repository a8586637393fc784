"""Accounts that may be of one person: found when they come or change, offered to staff, dismissed for good."""
