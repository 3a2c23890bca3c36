"""Measurements: what the hub and its actors can do on this machine, beside others, in one run (``make bench``)."""
