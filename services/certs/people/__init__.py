"""Who candidates are, as identity says it, and how much of that they let others see."""
