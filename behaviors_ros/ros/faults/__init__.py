"""Faults injected into the running graph, and whether the stack reacts as it must.

`case` is one fault as a file; `messages` and `streams` are what can happen to messages, `between` does it; `processes`
what can happen to processes; `rig` runs the graph; `observer` and `checker` watch; `suite` judges.
"""
