"""The link between the hub process and the processes around it, web and notifier: frames over one Unix socket.

A leaf package: framing, the vocabulary, and both ends of the socket. ``link.server`` is the hub's, behind ``actors.gateway``;
``link.client`` is the other.
"""
