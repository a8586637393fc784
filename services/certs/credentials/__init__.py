"""Credentials: what a ledger says, as signed documents that anybody can check."""
