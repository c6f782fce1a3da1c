"""Stories in a browser: search, waterfalls, live lines, the service map, streams, dead letters.

`make_app` is the whole of it, a Starlette application around a `Site`; ``clew ui`` serves it. The
pages are rendered here; the script adds keys and what comes live, and nothing else depends on it.
"""
