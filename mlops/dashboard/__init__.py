"""What staff sees: the dashboard page, its plots and reports, and the gauges for Prometheus."""
