"""A simulated fleet on a hub of its own: real processes, real frames, invented work. See ``agentcom demo --help``."""
