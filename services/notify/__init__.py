"""Notify: one mail for each thing a candidate should know, and the log of all of them."""
