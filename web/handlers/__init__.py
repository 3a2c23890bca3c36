"""One module for each group of routes. Every handler derives from ``base.Guard``."""
