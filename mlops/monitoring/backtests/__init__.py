"""The champion's recipe judged once more on later data: what each kind of features is worth, and what fresh data is."""
