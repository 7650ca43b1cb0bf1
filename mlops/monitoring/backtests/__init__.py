"""Backtests of the champion's recipe on later data: ablations of features, and training on older data."""
