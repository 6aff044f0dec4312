"""Saddle for scikit-learn."""
