"""The overview in a terminal. See ``agentcom top --help``."""
