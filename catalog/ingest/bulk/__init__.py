"""Movies, users and ratings that an operator's other site sends as lines of JSON, under its own ids.

`lines` validates each line alone; valid ones are written, the others are reported with their number and reason.
An interrupted request is simply sent again.
"""
