"""Says of a file that somebody was shown whether it is ours, unchanged, and still in force."""
