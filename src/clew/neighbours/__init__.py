"""Bridges to the libraries that a function may use beside clew.

One module each. None is loaded, and none loads its library, unless the user's code has it.
"""
