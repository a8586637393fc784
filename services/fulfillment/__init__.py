"""Fulfillment: what a candidate may have, and what was sent to them."""
