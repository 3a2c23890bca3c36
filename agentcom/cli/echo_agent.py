"""The smallest agent command: read the task from stdin, answer with its text. Standard library only.

Run once for each task by a sidecar: the task is one JSON object on stdin; the last line of stdout is the result.
"""

from __future__ import annotations

import json
import sys


def main() -> int:
    try:
        task = json.load(sys.stdin)
    except ValueError as error:
        print(f"the task on stdin is not JSON: {error}", file=sys.stderr)
        return 1
    text = task.get("description", "") if isinstance(task, dict) else ""
    print(json.dumps({"echo": text}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
