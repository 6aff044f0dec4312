"""Studies: each a claim or a question, its cells and its figures."""
