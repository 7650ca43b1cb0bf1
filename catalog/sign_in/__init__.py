"""Customisations of django-allauth, which handles sign-in, sign-up and passwords."""
