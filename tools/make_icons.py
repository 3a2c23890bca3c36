"""Draws the icons of the installed app from ``favicon.svg``, with the Chromium that the tests use. Only when that changes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

STATIC = Path(__file__).resolve().parents[1] / "web" / "static"

#: A maskable icon may be cut to a circle of four fifths of its width, so what matters stays within that.
MASKABLE_SCALE = 0.72


def main() -> None:
    svg = (STATIC / "favicon.svg").read_text()
    shapes = re.sub(r"<rect[^>]*>", "", svg.split(">", 1)[1].rsplit("<", 1)[0])
    inner = f'<g transform="translate(16 16) scale({MASKABLE_SCALE}) translate(-16 -16)">{shapes}</g>'
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    white = re.sub(r"#[0-9a-f]{6}", "#ffffff", shapes)
    drawings = {
        "icon-192.png": (192, svg),
        "icon-512.png": (512, svg),
        "icon-maskable-512.png": (512, f'{head}<rect width="32" height="32" fill="#0f1218"/>{inner}</svg>'),
        "badge-96.png": (96, f"{head}{white}</svg>"),
    }
    (STATIC / "icons").mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (size, drawing) in drawings.items():
            page = browser.new_page(viewport={"width": size, "height": size})
            page.set_content(f"<style>body{{margin:0}}svg{{display:block;width:{size}px}}</style>{drawing}")
            page.screenshot(path=STATIC / "icons" / name, omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
