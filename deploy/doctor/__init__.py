"""Whether the services agree with each other: what each holds of every candidate, side by side, and what is found."""
