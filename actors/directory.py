"""Identities, enrolment codes, settings and known agents: what the queue's writer keeps besides tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.storage import DirectoryStorage
from actors.vocabulary import tasks as v
from actors.vocabulary.tasks import Identity, KnownAgent, Refusal, Refused

#: Tokens of one name that may be valid at the same time: the newest and the one before it, so that a token can be rotated
#: while its holder still uses the old one.
TOKENS_OF_A_NAME = 2

#: More identities are refused: every web process holds the table in memory.
MAX_IDENTITIES = 20_000


class Directory:
    """Runs inside the queue's transaction; answers as documented in ``actors.vocabulary.tasks``."""

    def __init__(self, storage: DirectoryStorage) -> None:
        self._storage = storage
        self._handlers: dict[type, Callable[[Any, int], object]] = {
            v.CreateIdentity: self._create,
            v.RevokeIdentity: lambda message, _: storage.remove_identities(message.name),
            v.ListIdentities: lambda *_: storage.identities(),
            v.ReadSetting: lambda message, _: storage.setting(message.key),
            v.WriteSetting: lambda message, _: storage.write_setting(message.key, message.value),
            v.RecordPresence: self._record_presence,
            v.CreateEnrolment: lambda message, _: storage.add_enrolment(message.code_sha256, message.expires_at),
            v.Enrol: self._enrol,
        }

    def handle(self, message: object, now: int) -> object:
        return self._handlers[type(message)](message, now)

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

    def _record_presence(self, message: v.RecordPresence, now: int) -> None:
        self._storage.record_agent(KnownAgent(message.agent_id, message.name, message.presence, now))
