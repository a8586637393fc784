"""Mails that are gathered: one for all certifications that expire, one for all that can wait."""
