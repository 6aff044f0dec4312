"""Saddle: min-max learning at every width."""
