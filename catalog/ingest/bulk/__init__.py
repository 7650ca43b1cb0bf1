"""Movies, users and ratings that an operator's other site sends as JSON Lines, with its own ids.

`lines` validates each line separately. Valid lines are written; the others are reported with their number and a reason.
An interrupted request can be sent again.
"""
