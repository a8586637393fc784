"""Decisions of staff about certifications."""
