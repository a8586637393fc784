"""Offers: what candidates may claim, and their claims."""
