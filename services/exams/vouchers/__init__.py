"""The registry of vouchers and private access codes: for which exam, whose, and what became of them."""
