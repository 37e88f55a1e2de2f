"""docs/map.md says what lies where; it is held to the disk in both directions."""

import re
import subprocess

from fsms.config import ROOT

MAP = ROOT / "docs" / "map.md"
LINE = re.compile(r"^\s*(?:[├└│─ ]*)(?P<path>[\w./-]+)\s{2,}(?P<words>\S.*)$")


def _mapped() -> dict[str, str]:
    """Read the tree in the map: path from the root, and what is said of it."""
    found: dict[str, str] = {}
    folders: list[tuple[int, str]] = []
    tree = MAP.read_text().split("```")[1]
    for line in tree.splitlines():
        if not (match := LINE.match(line)):
            continue
        depth = len(line) - len(line.lstrip())
        folders = [(d, name) for d, name in folders if d < depth]
        path = "".join(name for _, name in folders) + match["path"]
        found[path] = match["words"]
        if match["path"].endswith("/"):
            folders.append((depth, match["path"]))
    return found


def _tracked() -> set[str]:
    """List the files that git keeps or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return {path for path in listed.stdout.splitlines() if (ROOT / path).exists()}


def test_everything_on_the_map_is_on_the_disk() -> None:
    gone = [path for path in _mapped() if not (ROOT / path).exists()]

    assert not gone


def test_every_module_and_every_folder_at_the_top_is_on_the_map() -> None:
    tracked = _tracked()
    top = {path.split("/")[0] + ("/" if "/" in path else "") for path in tracked}
    modules = {path for path in tracked if path.startswith("fsms/") and path.endswith(".py")}
    # A package is described as a folder; the pages of the thirteen entities are described together.
    mapped = _mapped()
    folders = tuple(path for path in mapped if path.endswith("/") and path != "fsms/" and path != "fsms/admin_views/")

    missing = {path for path in top if path not in mapped and not path.startswith(".")}
    missing |= {path for path in modules if path not in mapped and not path.startswith(folders)}

    assert not {path for path in missing if not path.endswith("__init__.py")}
