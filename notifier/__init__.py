"""The process that tells people: it looks for facts worth telling, and delivers them to webhooks and browsers.

It alone sends requests to the outside, so that nothing out there can hold up or endanger the hub. It keeps no state: what was
told, what waits and what became of it is in the hub's database, read and written over the link.
"""
