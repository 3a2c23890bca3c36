"""Every size limit of the wire, with its unit and its reason (security.md N6, J2, J4)."""

from __future__ import annotations

KIB = 1024

# --- bytes of a message or body ---------------------------------------------------------------------------------

HTTP_BODY_BYTES = 1024 * KIB
"""One request. A task is at most 64 KiB, so this leaves room for every single request."""

BULK_BODY_BYTES = 16 * 1024 * KIB
"""A bulk submit: 1,000 tasks of 16 KiB on average. Parsing holds up the other requests of the process for as long as it
takes, so it is not 1,000 times the largest task."""

HTTP_HEADER_BYTES = 16 * KIB

AGENT_FRAME_BYTES = 512 * KIB
"""One frame of an identified agent: a result of 256 KiB, escaped, with its frame around it."""

UNIDENTIFIED_FRAME_BYTES = 16 * KIB
"""Before ``identify`` only a short frame makes sense: 50 capabilities of 64 characters, escaped, and the token."""

DASHBOARD_FRAME_BYTES = 16 * KIB

# --- JSON (J2) --------------------------------------------------------------------------------------------------

JSON_DEPTH = 32
JSON_KEYS = 1_000
"""Keys of one object."""
JSON_NODES = 10_000
"""Values of one document; a parsed value takes up to 26 times the bytes of its text."""
BULK_NODES = 200_000
"""Values of one bulk submit: 200 for each of 1,000 tasks."""
JSON_INTEGER = 2**53 - 1
"""What a browser can read exactly."""

# --- fields (J4), characters unless they say bytes --------------------------------------------------------------

AGENT_ID_CHARS = 128
NAME_CHARS = 256
NOTE_CHARS = 500
STATUS_CHARS = 256
DESCRIPTION_CHARS = 10_000
ERROR_CHARS = 2_000
"""A longer error of an agent is cut and not refused: the report of a failure must not get lost for its length."""
TOKEN_CHARS = 256
CODE_CHARS = 64
TASK_ID_CHARS = 64
CAPABILITY_CHARS = 64
CAPABILITIES = 50
LIST_ITEMS = 100
REPO_CHARS = 512
URL_CHARS = 2_048
PUSH_KEY_CHARS = 128
IDEMPOTENCY_KEY_CHARS = 200
METADATA_BYTES = 16 * KIB
RESULT_BYTES = 256 * KIB
TASK_BYTES = 64 * KIB
"""A whole submitted task, encoded."""

SLOTS = 1_000
"""Tasks that one agent works on at once."""
BATCH_FRAMES = 1_000
"""Frames in one message of an agent."""
OUTPUT_LINES = 1_000
"""Lines in one frame of what a task prints."""
OUTPUT_LINE_CHARS = 16_384
"""A longer line is cut: no person reads it, and it has to fit a frame."""
OUTPUT_PAGE_LINES = 5_000
"""Lines of output in one answer, and in a page."""
MAX_RETRIES = 100
BULK_TASKS = 1_000
PAGE_LIMIT = 500
PAGE_ROWS = 100
"""Rows of one answer to the page, which asks again as it scrolls."""
COUNTED_TO = 10_000
"""Totals are counted to here and shown as "10,000+" beyond, unless somebody asks for the exact number."""
BULK_IDS = 10_000
"""Tasks that a bulk operation may be given by their ids; a filter names any number."""

# --- answers (J5) -----------------------------------------------------------------------------------------------

FIELD_ERRORS = 20
"""More faults of one body than this are not listed."""
