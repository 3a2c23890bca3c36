"""Supervision for Pykka actors and for operating-system processes, with the semantics of Erlang/OTP.

The engine knows no task, no agent and no HTTP, and imports nothing else of this project:

- ``core``        the supervisor as a pure state machine: events in, effects out
- ``supervisor``  runs a core over actors;  ``process_supervisor``  runs the same core over processes
- ``actor``       ``Actor`` (on shared worker threads) and ``BatchActor`` (a thread of its own)
- ``runtime``     the one object that owns clock, timers, threads, names, random numbers and the event bus
"""
