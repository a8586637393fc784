"""Orders: what was claimed and is sent, from the claim until it has arrived."""
