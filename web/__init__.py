"""Tornado: routes, sockets and the page. Keeps no state but its connections."""
