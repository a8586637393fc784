"""Results whose candidate is not known: kept, matched when the mapping comes, worked on by staff; none is dropped."""
