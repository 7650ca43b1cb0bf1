"""Whether a version may go live: the rules, the decision, and the replay of past requests."""
