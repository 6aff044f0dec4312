"""Which width to pay for: the law of a sweep, measured costs, and a choice with its interval."""
