"""`poetry run use EXAMPLE`: make an example the active one."""

import shutil
import sys
from pathlib import Path
from typing import Any

import yaml

from data_access.active_example import SETTINGS, available_examples, require_example
from data_access.errors import DataError

ROOT = Path(__file__).resolve().parent
KEPT = ("projectId", "secretId", "branch")
"""Keys of leap.yaml that are the owner's, not the example's."""


def use(example: str, root: Path = ROOT) -> None:
    """Write the example's name into project_config.yaml and its push/ files to the root.

    Raises:
        DataError: there is no such example, or the root's leap.yaml cannot be read.
    """
    require_example(root, example, "The command line")
    push, target = root / example / "push", root / "leap.yaml"
    settings: dict[str, Any] = yaml.safe_load((push / "leap.yaml").read_text(encoding="utf-8"))
    owned = {key: value for key, value in _present(target).items() if key in KEPT and value}
    target.write_text(yaml.safe_dump({**owned, **settings}, sort_keys=False), encoding="utf-8")
    shutil.copyfile(push / "tensorleap_requirements.txt", root / "tensorleap_requirements.txt")
    (root / SETTINGS).write_text(yaml.safe_dump({"example": example}), encoding="utf-8")


def _present(leap_yaml: Path) -> dict[str, Any]:
    if not leap_yaml.exists():
        return {}
    try:
        content = yaml.safe_load(leap_yaml.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise DataError(f"{leap_yaml} cannot be read as YAML; mend or delete it. {error}") from error
    return content if isinstance(content, dict) else {}


def main() -> None:
    """The console script."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(f"usage: use EXAMPLE, one of: {', '.join(available_examples(ROOT))}", file=sys.stderr)
        sys.exit(2)
    try:
        use(sys.argv[1])
    except DataError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print(f"{sys.argv[1]} is active: project_config.yaml, leap.yaml and tensorleap_requirements.txt are its own.")


if __name__ == "__main__":
    main()
