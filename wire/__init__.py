"""What crosses a border as JSON: the codec, the limits, and the frames and bodies of the protocol.

A leaf package: it knows no actor, no web server and no database, so that an agent's side can use it alone.
"""
