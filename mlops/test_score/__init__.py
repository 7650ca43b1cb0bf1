"""The ML Test Score (Breck et al., IEEE Big Data 2017), computed from the stored results of automatic checks."""
