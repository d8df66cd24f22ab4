"""Explanation: why one pair connects or not."""
