"""``python -m sidecar``."""

import sys

from sidecar.main import main

if __name__ == "__main__":
    sys.exit(main())
