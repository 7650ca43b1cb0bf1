"""The staff dashboard with its plots and reports, and the Prometheus gauges."""
