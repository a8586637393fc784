"""What the candidate may do next: goals, renewals, and what would follow from them."""
