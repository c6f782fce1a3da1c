"""What clew adds to the emulator, inside the emulator's own process.

The emulator is an ASGI application. ``python -m clew.localcloud.seam`` serves that application
with a layer of clew's around it (injected faults, and the addresses below ``/_clew/`` by which
the local cloud steers it all), after putting functions of clew's around some of the emulator's:
those that read and write Kinesis shards, choose the version behind an alias, look for event
source mappings to poll, evaluate alarms, and collect what functions log. A call that none of this
concerns costs one comparison; no port, process or copy of a request lies in between.

Modules that import the emulator are imported in its process alone: ``alarms``, ``aliases``,
``kinesis``, ``mappings`` and ``metrics``. The others decide, and know nothing of it.
"""
