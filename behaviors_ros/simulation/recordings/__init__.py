"""Recorded drives of real vehicles as values: what perception and localisation would have published."""
