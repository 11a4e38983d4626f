"""Embedded worlds: our own maps in Lanelet2 form, the scripts that write them, and scenarios on them."""
