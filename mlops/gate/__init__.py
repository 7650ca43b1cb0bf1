"""The promotion gate: its rules, its decision whether a version may go live, and the replay of past requests."""
