"""The results watch: from appointments it knows which results are due, tells what is late, and answers for each."""
