"""The streams that clew scales: their settings, and the functions that act on them.

It runs in Lambda with nothing but boto3; what decides is in :mod:`clew.scaling`.
"""
