"""The composition root: ``build`` makes the core of a configuration, ``run`` every door around it.

Nothing is imported here: a command that only needs the core shall not wait for the doors.
"""
