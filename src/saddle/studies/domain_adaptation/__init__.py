"""Unsupervised domain adaptation with weights on the target: source-only, adversarial and robust adversarial."""
