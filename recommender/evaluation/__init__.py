"""How good a recommender is: splits, metrics, slices and paired intervals; plain Python, no Django."""
