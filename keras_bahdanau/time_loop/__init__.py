"""Loops over time: packed sequences, and weight gradients accumulated after the loop."""
