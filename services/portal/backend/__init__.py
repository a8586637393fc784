"""The services as the portal asks them."""
