"""Webhooks: media servers send what people watch and rate to each user's secret URL."""
