"""The agent's side of the wire: connects to a hub and runs its tasks as child processes."""
