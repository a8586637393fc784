"""Orders to fulfilment houses, what the houses say of them, and whether both sides say the same."""
