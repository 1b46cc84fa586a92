"""Loops over time that compute no padding and make weight gradients in one product."""
