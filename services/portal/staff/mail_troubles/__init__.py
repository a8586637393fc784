"""Addresses that nothing is sent to, and mails that are sent again."""
