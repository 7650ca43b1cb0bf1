"""Imports movies, users and ratings that another site of the operator sends as JSON Lines, with its own ids.

`lines` validates each line separately. Valid lines are written. Others are reported with their number and a reason. An
interrupted request can be sent again.
"""
