"""Connecting accounts by consent, and keeping what was granted alive."""
