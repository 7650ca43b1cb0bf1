"""The gate: rules, the decision whether a version may go live, and the replay of past requests."""
