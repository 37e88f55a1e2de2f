"""Measurements, each a ratio within one run. Nothing here asserts a time: machines differ, tests must not."""
