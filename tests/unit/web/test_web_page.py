"""The shell and its files: one answer for every address of a page, kept for ever under their version, small, and complete."""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from pathlib import Path

import pytest

from tests.unit.web.kit import Kit, with_kit
from web.handlers.page import SHELLS
from web.options import STATIC_DIR
from web.static_files import LIBRARIES, StaticFile, StaticFiles

VENDOR = STATIC_DIR / "vendor"
ADDRESSES = sorted(shell.route.replace(":id", "some%2Fid") for shell in SHELLS)

SCRIPT_BYTES = 150 * 1024
STYLE_BYTES = 30 * 1024


@pytest.fixture(scope="module")
def files() -> StaticFiles:
    return StaticFiles(STATIC_DIR)


def named_in(files: StaticFiles, depth: int = 1) -> list[str]:
    """Paths below the folder of everything that the shell names."""
    shell = files.shell(depth)
    assert shell is not None
    found: list[str] = re.findall(
        rf'(?:src|href)="(?:\./|\.\./)static/{files.version}/([^"]+)"', shell.content.decode()
    )
    return found


# --- over HTTP ----------------------------------------------------------------------------------------------------------


@with_kit()
async def test_the_root_leads_to_the_page(kit: Kit) -> None:
    answer = await kit.get("/", token=None)
    assert (answer.status, answer.headers["Location"]) == (302, "dashboard")


@with_kit()
async def test_every_address_of_a_page_is_answered_with_the_same_shell(kit: Kit) -> None:
    for address in ADDRESSES:
        answer = await kit.get(address, token=None)
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html"), address
        assert answer.headers["Cache-Control"] == "no-cache"
        root = "../" if address.count("/") == 2 else "./"
        assert f'src="{root}static/' in answer.body.decode(), address


@with_kit()
async def test_files_are_kept_for_ever_under_their_version_and_asked_for_again_without(kit: Kit) -> None:
    page = (await kit.get("/dashboard", token=None)).body.decode()
    named = page.split('src=".')[1].split('"')[0]
    answer = await kit.get(named, token=None)
    assert answer.body == b"export const x = 1;" and "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert (await kit.get("/static/0123456789abcdef/js/main.js", token=None)).status == 404
    answer = await kit.get("/static/js/main.js", token=None)
    assert answer.headers["Cache-Control"] == "no-cache"
    again = await kit.get("/static/js/main.js", token=None, headers={"If-None-Match": answer.headers["Etag"]})
    assert (again.status, again.body) == (304, b"")


@with_kit()
async def test_nothing_outside_the_folder_can_be_named(kit: Kit) -> None:
    for path in (
        *("../kit.py", "..%2f..%2fetc%2fpasswd", "%2e%2e/x", "/etc/passwd"),
        *("index.html", "js", "js/main.js/", ".", "js/main.js%00", "js/../js/main.js"),
    ):
        assert (await kit.get(f"/static/{path}", token=None)).status == 404, path


@with_kit(static_dir=str(STATIC_DIR))
async def test_files_are_sent_compressed_to_who_takes_that(kit: Kit) -> None:
    path = "/static/js/main.js"
    plain = await kit.get(path, token=None, headers={"Accept-Encoding": "gzip;q=0, br"})
    packed = await kit.get(path, token=None, headers={"Accept-Encoding": "br, gzip"})
    assert "Content-Encoding" not in plain.headers and packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["Etag"] != packed.headers["Etag"] and packed.headers["Vary"] == "Accept-Encoding"


# --- the real files --------------------------------------------------------------------------------------------------


def sent(file: StaticFile | None) -> int:
    assert file is not None
    return len(file.compressed or file.content)


def test_the_first_transfer_is_small(files: StaticFiles) -> None:
    named = named_in(files)
    scripts = [name for name in named if name.endswith(("js", "mjs"))] + [LIBRARIES["uplot"]]
    assert len(scripts) > 30
    assert sum(sent(files.get(name)) for name in set(scripts)) <= SCRIPT_BYTES
    assert sum(sent(files.get(name)) for name in named if name.endswith(".css")) <= STYLE_BYTES


@pytest.mark.parametrize("depth", [1, 2])
def test_everything_that_the_shell_names_is_there(files: StaticFiles, depth: int) -> None:
    shell = files.shell(depth)
    assert shell is not None and b"{{" not in shell.content
    named = named_in(files, depth)
    assert "js/main.js" in named and LIBRARIES["preact"] in named
    assert all(files.get(name) is not None for name in named)


def modules() -> list[str]:
    return sorted(path.relative_to(STATIC_DIR).as_posix() for path in (STATIC_DIR / "js").rglob("*.js"))


@pytest.mark.parametrize("name", modules())
def test_every_import_leads_to_a_file(files: StaticFiles, name: str) -> None:
    file = files.get(name)
    assert file is not None
    for target in re.findall(
        r"""^(?:import|export)\b(?:[\w\s{},*$]*\bfrom)?\s*["']([^"']+)["'];$""", file.content.decode(), re.M
    ):
        assert target.startswith("."), f"{name} imports {target}, which is no library of ours"
        assert files.get(posixpath.normpath(posixpath.join(posixpath.dirname(name), target))), f"{name}: {target}"


def test_comments_stay_at_home_and_lines_where_they_were(tmp_path: Path) -> None:
    module = "// one\n/** two\n * lines */\nconst a = /** @type {any} */ (b); // stays\n  /* x */\n/** y */ (c)();\n"
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "a.js").write_text(module)
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "a.js").write_text(module)
    files = StaticFiles(tmp_path)
    ours, theirs = files.get("js/a.js"), files.get("vendor/a.js")
    assert ours is not None and theirs is not None
    assert ours.content.decode() == "\n\n\nconst a = /** @type {any} */ (b); // stays\n\n/** y */ (c)();\n"
    assert theirs.content.decode() == module


def test_no_module_is_dead() -> None:
    imports = re.compile(r"""(?:\bfrom\s+|\bimport\s*\(?\s*)["'](\.[^"']+)["']""")
    alive: set[str] = set()
    ahead = ["js/main.js"]
    while ahead:
        name = ahead.pop()
        if name not in alive and name.startswith("js/"):
            alive.add(name)
            found = imports.findall((STATIC_DIR / name).read_text())
            ahead += [posixpath.normpath(posixpath.join(posixpath.dirname(name), target)) for target in found]
    assert set(modules()) - alive == set()


@pytest.mark.parametrize("name", modules())
def test_every_module_is_checked_for_its_types(name: str) -> None:
    assert (STATIC_DIR / name).read_text().startswith("// @ts-check\n")


def listed() -> list[tuple[str, str]]:
    lines = (VENDOR / "SHA256SUMS").read_text().splitlines()
    return [(line.split("  ")[1], line.split("  ")[0]) for line in lines]


def test_vendored_libraries_are_what_was_published() -> None:
    there = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()} - {"SHA256SUMS"}
    assert {name for name, _ in listed()} == there
    for name, digest in listed():
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name


def test_every_vendored_library_has_its_licence() -> None:
    for library in LIBRARIES.values():
        assert (STATIC_DIR / Path(library).parent / "LICENSE").is_file(), library
