"""The link between the hub process and the web processes: frames over one Unix socket.

A leaf package: framing and the vocabulary of the link. The hub's end is ``actors.gateway``, the other is ``web.hub_link``.
"""
