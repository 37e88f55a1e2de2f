"""docs/map.md says what lies where; it is held to the disk in both directions."""

import re
import subprocess

from fsms.config import ROOT

MAP = ROOT / "docs" / "map.md"
LINE = re.compile(r"^\s*(?P<path>[\w./-]+)(?:\s{2,}(?P<words>\S.*))?$")


def _mapped() -> set[str]:
    """Read the paths, from the root, of the tree in the map."""
    found: set[str] = set()
    folders: list[tuple[int, str]] = []
    tree = MAP.read_text().split("```")[1]
    for line in tree.splitlines():
        if not (match := LINE.match(line)):
            continue
        depth = len(line) - len(line.lstrip())
        folders = [(d, name) for d, name in folders if d < depth]
        path = "".join(name for _, name in folders) + match["path"]
        found.add(path)
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
    mapped = _mapped()
    # A folder under which the map lists nothing is described as a whole.
    folders = tuple(f for f in mapped if f.endswith("/") and not any(p != f and p.startswith(f) for p in mapped))

    missing = {path for path in top if path not in mapped and not path.startswith(".")}
    missing |= {path for path in modules if path not in mapped and not path.startswith(folders)}

    assert not {path for path in missing if not path.endswith("__init__.py")}
