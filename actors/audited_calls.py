"""Which calls of the web processes are written into the audit log, and as what.

Plain submits and the frames of agents are not: the history of each task has them.
"""

from __future__ import annotations

from actors.vocabulary.audit import Audited, Doer, RecordAudit
from link.messages import Call

#: ``Call.op`` -> (the action that the log shows, the argument that names its target).
AUDITED: dict[str, tuple[str, str | None]] = {
    "tasks.cancel": ("task.cancel", "task_id"),
    "tasks.retry": ("task.retry", "task_id"),
    "tasks.discard": ("task.discard", "task_id"),
    "tasks.recover": ("task.recover", "task_id"),
    "dead.mute": ("dead_group.mute", "group"),
    "dead.unmute": ("dead_group.unmute", "group"),
    "tasks.lane": ("task.lane", "task_id"),
    "tasks.reassign": ("task.reassign", "task_id"),
    "operations.start": ("operation.start", "preview"),
    "operations.cancel": ("operation.cancel", "operation"),
    "agents.push": ("task.push", "agent_id"),
    "identities.create": ("token.create", "identity"),
    "identities.revoke": ("token.revoke", "name"),
    "identities.end_old": ("token.end_old", "name"),
    "enrolment.create": ("agent.join_code", None),
    "enrolment.redeem": ("agent.join", "identity"),
    "settings.write": ("setting.write", "key"),
    "agents.pause": ("agent.pause", "agent_id"),
    "agents.drain": ("agent.drain", "agent_id"),
    "agents.resume": ("agent.resume", "agent_id"),
    "agents.disconnect": ("agent.disconnect", "agent_id"),
    "agents.forget": ("agent.forget", "agent_id"),
    "health.acknowledge": ("health.acknowledge", "condition_id"),
    "notify.create_webhook": ("webhook.create", "webhook"),
    "notify.enable_webhook": ("webhook.enable", "id"),
    "notify.subscribe": ("push.subscribe", "subscription"),
    "notify.remove": ("notify.remove", "target"),
    "notify.test": ("notify.test", "target"),
    "notify.redeliver": ("notify.redeliver", "target"),
    "hub.reset": ("hub.reset", None),
}

#: Of a call that does not say on whose behalf it is.
NOBODY = Doer("unknown", "unknown", "api")

#: Characters of a target that are kept; every id of ours is shorter.
TARGET_CHARS = 128


def audited(call: Call, message: object) -> object:
    """``message`` together with its entry in the log, if it is to have one: for ``TaskQueue``, which writes both at once."""
    entry = AUDITED.get(call.op)
    return message if entry is None else Audited(message, _doer(call), entry[0], _target(call))


def is_audited(call: Call) -> bool:
    return call.op in AUDITED


def entry_of(call: Call, outcome: str, **details: object) -> RecordAudit:
    """The entry of a call that the queue itself has no part in."""
    return RecordAudit(_doer(call), AUDITED[call.op][0], _target(call), outcome, details)


def _doer(call: Call) -> Doer:
    return Doer(call.by.name, call.by.role, call.by.way) if call.by is not None else NOBODY


def _target(call: Call) -> str | None:
    argument = AUDITED[call.op][1]
    if argument is None:
        return None
    named = call.args.get(argument)
    if isinstance(named, dict):  # a record: it has a name or at least an id, and may hold secrets beside them
        named = named.get("name") or named.get("id")
    return str(named)[:TARGET_CHARS]
