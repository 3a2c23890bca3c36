"""Loaded by every Python process that has this folder on its PYTHONPATH; does nothing unless a test names a module to load."""

import importlib
import os

_module = os.environ.get("TEST_PLUGIN")
if _module:
    importlib.import_module(_module)
