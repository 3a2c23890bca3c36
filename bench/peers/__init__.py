"""Other task queues at the same work: a task that does nothing, two worker processes, every accepted task synced."""
