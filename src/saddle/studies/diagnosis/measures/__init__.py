"""Numbers that a run did not record, measured at its checkpoint."""
