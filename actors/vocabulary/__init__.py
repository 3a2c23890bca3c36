"""The messages of every actor: frozen, slotted dataclasses, one module for each actor's vocabulary."""
