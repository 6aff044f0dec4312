"""The study `robust-transport`: the contamination theorem, the limits of the ball, and who finds which outliers."""
