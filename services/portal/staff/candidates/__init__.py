"""A candidate as staff see them: the same facts as the candidate's own pages, with what was known since when."""
