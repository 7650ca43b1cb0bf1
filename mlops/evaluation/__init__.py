"""How models are compared: the same later data for all, paired intervals, hyper-parameters, lineage."""
