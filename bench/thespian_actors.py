"""The same actors for Thespian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thespian.actors import Actor, ActorAddress


@dataclass
class Hop:
    left: int
    reply_to: Any = None


class Sink(Actor):  # type: ignore[misc]
    seen = 0

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if message == "seen":
            self.send(sender, self.seen)
        else:
            self.seen += 1


class Link(Actor):  # type: ignore[misc]
    after: Any = None

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, ActorAddress):
            self.after = message
            self.send(sender, "linked")
        elif isinstance(message, Hop):
            message.reply_to = message.reply_to or sender
            if message.left > 0:
                message.left -= 1
                self.send(self.after, message)
            else:
                self.send(message.reply_to, "done")
