"""Tests that a site of an older checkout works with a newer one: data, models, alerts, pages, trainings."""
