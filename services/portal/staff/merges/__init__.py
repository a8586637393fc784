"""Accounts that may be of one person: pairs to look at, both beside each other, merging and undoing it."""
