"""The search for hyper-parameters, and the choice of those that trainings use."""
