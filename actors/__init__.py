"""The domain: one file for each actor, the rules beside it as pure functions."""
