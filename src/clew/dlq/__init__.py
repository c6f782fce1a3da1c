"""Dead letters after they are written: looked at, sent again, run locally, thrown away.

What a letter is, which ones are meant and what a redrive would send is decided by pure modules
(``letter``, ``filters``, ``parts``); ``queue``, ``hydrate``, ``send``, ``journal`` and ``export``
are the shells around them.
"""
