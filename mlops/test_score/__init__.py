"""The ML Test Score (Breck et al., IEEE Big Data 2017), computed from what automatic checks left as evidence."""
