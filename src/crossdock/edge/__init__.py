"""Middleware around every request (id, body limit, access log, last-resort errors); health, metrics.

Its modules are imported one by one: the supervisor needs the metrics' folder and no web framework.
"""
