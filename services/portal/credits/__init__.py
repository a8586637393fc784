"""Continuing education: the ledger of credits, and what the candidate claims."""
