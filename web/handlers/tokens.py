"""Tokens and enrolment: the hub stores only the hash of a secret, so a token is shown once, here."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from link.client import HubRefused
from link.messages import CalledBy, IdentityEntry
from web import errors
from web.errors import ApiError
from web.handlers.base import ApiHandler
from web.handlers.settings import DEFAULT_REPO
from web.services import now_ms
from wire import tokens
from wire.bodies import CreateTokenBody, RegisterBody
from wire.roles import Role

#: How long a code for one agent may be redeemed.
CODE_LIFE_S = 600

CODE_BYTES = 16

#: Of a list for people; more are told by their number.
TOKENS_SHOWN = 500

#: Characters of a token's public part that a list shows.
PREFIX_CHARS = 8


class Tokens(ApiHandler):
    route = "/admin/tokens"

    async def on_get(self) -> None:
        identities = await self.call("identities.list")
        self.answer({"tokens": [_listed(identity) for identity in identities]})

    async def on_post(self) -> None:
        body = self.body_as(CreateTokenBody, unique_keys=True)
        await check_page_may(self, body.agent_id, body.role)
        token = await create_token(self, body.agent_id, body.role, rotate=True)
        self.answer({"agent_id": body.agent_id, "role": body.role.value, "token": token}, 201)


class DashboardTokens(ApiHandler):
    """Who has a token, for the page, read like the snapshot: names, roles, and the public beginning of each."""

    route = "/api/dashboard/tokens"

    async def on_get(self) -> None:
        identities = await self.call("identities.list")
        self.answer({"tokens": [_listed(identity) for identity in identities[:TOKENS_SHOWN]], "count": len(identities)})


class Token(ApiHandler):
    route = "/admin/tokens/:id"

    async def on_delete(self, agent_id: str) -> None:
        """Also for an id that nobody has: what is asked for holds afterwards."""
        await check_page_may(self, agent_id)
        await self.call("identities.revoke", name=agent_id)
        self.answer({"status": "revoked", "agent_id": agent_id})


class EnrolmentCodes(ApiHandler):
    route = "/api/onboard/codes"

    async def on_post(self) -> None:
        code = secrets.token_hex(CODE_BYTES)  # never begins with a dash: it stands in command lines
        expires_at = now_ms() + CODE_LIFE_S * 1000
        await self.call("enrolment.create", code_sha256=_sha256(code), expires_at=expires_at)
        self.answer({"code": code, "expires_in_s": CODE_LIFE_S}, 201)


class Register(ApiHandler):
    """An agent gets its token with a code that works once, or by an admin's hand."""

    route = "/api/onboard/register"

    async def on_post(self) -> None:
        body = self.body_as(RegisterBody, unique_keys=True)
        try:
            token = await self._register(body)
        except HubRefused as refused:
            raise _registration_error(refused) from None
        host = self.request.headers["Host"]
        self.answer(
            {
                "agent_id": body.agent_id,
                "token": token,
                "hub_ws_url": f"ws://{host}/ws",
                "hub_api_url": f"http://{host}",
                "default_repo": await self.call("settings.read", key=DEFAULT_REPO),
            },
            201,
        )

    async def _register(self, body: RegisterBody) -> str:
        token = self.bearer_token()
        if token is not None:
            self.caller = await self.services.authenticator.authenticate(token)
            if self.caller is None:
                raise errors.unauthorized()
            if not self.is_admin:
                raise errors.forbidden()
            return await create_token(self, body.agent_id, Role.AGENT, rotate=False)
        if body.code is None:
            raise errors.unauthorized("send the code of POST /api/onboard/codes, or an admin's token")
        minted, identity = _new_identity(body.agent_id, Role.AGENT)
        self.acts_as = CalledBy(body.agent_id, Role.AGENT.value, self.way)
        await self.call("enrolment.redeem", code_sha256=_sha256(body.code), identity=identity)
        self.services.identities.add(_entry(identity))
        return minted.token


async def check_page_may(handler: ApiHandler, name: str, role: Role | None = None) -> None:
    """A page without a token may not make itself an admin, nor touch an admin's rights. Raises ``ApiError``."""
    if not handler.is_page:
        return
    identities = await handler.call("identities.list")
    if role is Role.ADMIN or any(one["name"] == name and one["role"] == Role.ADMIN.value for one in identities):
        hint = "use the command line:  agentcom token create NAME --role admin"
        raise ApiError(403, "forbidden", "the tokens of admins are made and ended with the token of one", hint)


async def create_token(handler: ApiHandler, name: str, role: Role, *, rotate: bool) -> str:
    """A token that is valid when this returns. ``rotate``: also for a name that has one. Raises ``HubRefused``."""
    minted, identity = _new_identity(name, role)
    await handler.call("identities.create", identity=identity, rotate=rotate)
    handler.services.identities.add(_entry(identity))
    return minted.token


def _new_identity(name: str, role: Role) -> tuple[tokens.Minted, dict[str, Any]]:
    minted = tokens.mint(role.value)
    identity = {
        "token_id": minted.token_id,
        "name": name,
        "role": role.value,
        "secret_sha256": minted.secret_sha256,
        "created_at": now_ms(),
    }
    return minted, identity


def _entry(identity: dict[str, Any]) -> IdentityEntry:
    return IdentityEntry(identity["token_id"], identity["name"], identity["role"], identity["secret_sha256"])


def _listed(identity: dict[str, Any]) -> dict[str, Any]:
    prefix = f"{tokens.PREFIX}_{identity['role']}_{identity['token_id'][:PREFIX_CHARS]}..."
    shown = {"agent_id": identity["name"], "role": identity["role"], "created_at": identity["created_at"]}
    return shown | {"token_prefix": prefix}


def _registration_error(refused: HubRefused) -> Exception:
    if refused.code == "already_exists":
        return ApiError(409, "agent_id already registered", "choose another name, or have an admin reset its token")
    if refused.code == "not_found":
        return ApiError(403, "invalid_code", "this code was never valid, was used, or expired")
    return refused


def _sha256(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
