"""Fuzzing: mutated messages through the nodes, mutated files through the readers, in processes that may die."""
