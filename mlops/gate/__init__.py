"""The promotion gate: its rules, its decisions, and the replay of past requests."""
