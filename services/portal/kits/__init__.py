"""What the candidate may have: kits and gifts, their orders and where these are."""
