"""Cases of candidates: answer, decide, four eyes; and name changes, which are cases with a page of their own."""
