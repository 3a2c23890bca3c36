"""Identities, enrolment codes, settings, known agents and what is wanted of them: what the queue's writer keeps besides tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.fsm_rules import next_mode
from actors.storage import DirectoryStorage
from actors.vocabulary import fleet
from actors.vocabulary import tasks as v
from actors.vocabulary.events import AgentForgotten, AgentModeChanged
from actors.vocabulary.fleet import AgentMode
from actors.vocabulary.tasks import Identity, KnownAgent, Refusal, Refused
from wire.roles import Role

#: Tokens of one name that may be valid at the same time: the newest and the one before it, so that a token can be rotated
#: while its holder still uses the old one.
TOKENS_OF_A_NAME = 2

#: More identities are refused: every web process holds the table in memory.
MAX_IDENTITIES = 20_000


class Directory:
    """Runs inside the queue's transaction; answers as documented in ``actors.vocabulary.tasks`` and ``fleet``."""

    def __init__(self, storage: DirectoryStorage) -> None:
        self._storage = storage
        self._modes = storage.agent_modes()
        self._news: list[AgentModeChanged | AgentForgotten] = []
        self._handlers: dict[type, Callable[[Any, int], object]] = {
            v.CreateIdentity: self._create,
            v.RevokeIdentity: lambda message, _: storage.remove_identities(message.name),
            v.ListIdentities: lambda message, _: (
                storage.identities() if message.name is None else storage.identities_of(message.name)
            ),
            v.ReadSetting: lambda message, _: storage.setting(message.key),
            v.WriteSetting: lambda message, _: storage.write_setting(message.key, message.value),
            v.RecordPresence: self._record_presence,
            v.CreateEnrolment: lambda message, _: storage.add_enrolment(message.code_sha256, message.expires_at),
            v.Enrol: self._enrol,
            fleet.EndOldTokens: self._end_old_tokens,
            fleet.OrderAgent: self._order_agent,
            fleet.ReadAgentMode: lambda message, _: self._mode(message.agent_id),
            fleet.ForgetAgent: self._forget_agent,
        }

    def handle(self, message: object, now: int) -> object:
        return self._handlers[type(message)](message, now)

    def take_news(self) -> list[AgentModeChanged | AgentForgotten]:
        """What is to be published on the topic of presence after the commit."""
        news, self._news = self._news, []
        return news

    def agents(self) -> tuple[KnownAgent, ...]:
        return self._storage.agents()

    def _create(self, message: v.CreateIdentity, _: int) -> Identity | Refused:
        identity = message.identity
        same_name = self._storage.identities_of(identity.name)
        if same_name and not message.rotate:
            return Refused(Refusal.ALREADY_EXISTS, "the name is taken")
        if self._storage.count_identities() >= MAX_IDENTITIES:
            return Refused(Refusal.QUEUE_FULL, f"there are {MAX_IDENTITIES} identities")
        keep = tuple(one.token_id for one in same_name[-(TOKENS_OF_A_NAME - 1) :])
        if len(same_name) > len(keep):
            self._storage.remove_identities(identity.name, keep)
        self._storage.add_identity(identity)
        return identity

    def _enrol(self, message: v.Enrol, now: int) -> Identity | Refused:
        if not self._storage.has_enrolment(message.code_sha256, now):
            return Refused(Refusal.NOT_FOUND, "the code is unknown, spent or expired")
        created = self._create(v.CreateIdentity(message.identity, rotate=False), now)
        if isinstance(created, Identity):
            self._storage.spend_enrolment(message.code_sha256, now)
        return created

    def _end_old_tokens(self, message: fleet.EndOldTokens, _: int) -> int | Refused:
        known = self._storage.identities_of(message.name)
        if not known or any(one.role is not Role.AGENT for one in known):
            return Refused(Refusal.NOT_FOUND, "no such agent has a token")
        return self._storage.remove_identities(message.name, (known[-1].token_id,))

    # --- agents -----------------------------------------------------------------------------------------------------

    def _mode(self, agent_id: str) -> AgentMode:
        return self._modes.get(agent_id, AgentMode.ACTIVE)

    def _order_agent(self, message: fleet.OrderAgent, now: int) -> fleet.AgentModeSet | Refused:
        if not self._storage.is_agent(message.agent_id):
            return Refused(Refusal.NOT_FOUND, "no such agent")
        previous = self._mode(message.agent_id)
        mode = next_mode(previous, message.order)
        if mode is not previous:
            self._storage.write_agent_mode(message.agent_id, mode)
            self._modes[message.agent_id] = mode
            self._news.append(AgentModeChanged(message.agent_id, mode, now))
        return fleet.AgentModeSet(message.agent_id, previous, mode)

    def _forget_agent(self, message: fleet.ForgetAgent, now: int) -> bool:
        was_known = self._storage.forget_agent(message.agent_id)
        self._modes.pop(message.agent_id, None)
        if was_known:
            self._news.append(AgentForgotten(message.agent_id, now))
        return was_known

    def _record_presence(self, message: v.RecordPresence, now: int) -> None:
        if self._storage.presence_of(message.agent_id) is not message.presence:
            self._storage.record_connection(message.agent_id, now, message.presence)
        self._storage.record_agent(KnownAgent(message.agent_id, message.name, message.presence, now))
