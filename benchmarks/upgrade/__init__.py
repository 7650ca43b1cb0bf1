"""Checks that a site made by an older checkout goes on with a newer one: data, models, alerts, pages, trainings."""
