"""Every size limit of the wire, with its unit and its reason (security.md N6, J2, J4)."""

from __future__ import annotations

KIB = 1024

# --- bytes of a message or body ---------------------------------------------------------------------------------

HTTP_BODY_BYTES = 1024 * KIB
"""One request. A task is at most 64 KiB, so this leaves room for every single request."""

BULK_BODY_BYTES = 64 * 1024 * KIB
"""A bulk submit: 1,000 tasks of 64 KiB."""

HTTP_HEADER_BYTES = 16 * KIB

AGENT_FRAME_BYTES = 512 * KIB
"""One frame of an identified agent: a result of 256 KiB, escaped, with its frame around it."""

UNIDENTIFIED_FRAME_BYTES = 4 * KIB
"""Before ``identify`` only a short frame makes sense."""

DASHBOARD_FRAME_BYTES = 16 * KIB

# --- JSON (J2) --------------------------------------------------------------------------------------------------

JSON_DEPTH = 32
JSON_KEYS = 1_000
"""Keys of one object."""
JSON_NODES = 100_000
"""Values of one document; a bulk submit of 1,000 tasks has about 10,000."""
JSON_INTEGER = 2**53 - 1
"""What a browser can read exactly."""

# --- fields (J4), characters unless they say bytes --------------------------------------------------------------

AGENT_ID_CHARS = 128
NAME_CHARS = 256
STATUS_CHARS = 256
DESCRIPTION_CHARS = 10_000
ERROR_CHARS = 2_000
TOKEN_CHARS = 256
TASK_ID_CHARS = 64
CAPABILITY_CHARS = 64
CAPABILITIES = 50
LIST_ITEMS = 100
IDEMPOTENCY_KEY_CHARS = 200
METADATA_BYTES = 16 * KIB
RESULT_BYTES = 256 * KIB
TASK_BYTES = 64 * KIB
"""A whole submitted task, encoded."""

MAX_RETRIES = 100
BULK_TASKS = 1_000
PAGE_LIMIT = 500

# --- answers (J5) -----------------------------------------------------------------------------------------------

FIELD_ERRORS = 20
"""More faults of one body than this are not listed."""
