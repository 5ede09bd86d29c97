"""Typed settings from a YAML file."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from data_access.errors import SettingsError

T = TypeVar("T")


def load_settings(path: Path, type: type[T], section: str | None = None) -> T:
    """The settings of a YAML file as an instance of `type`, every value checked.

    Args:
        type: a `msgspec.Struct`, best declared with `frozen=True, forbid_unknown_fields=True`: without the
            second, msgspec passes over keys that it does not know. Bounds are declared as `Annotated[float,
            msgspec.Meta(ge=0)]`; what concerns several keys at once goes to `__post_init__`, as a ValueError.
        section: where given, the settings are those under this key of the file's top level.

    Raises:
        SettingsError: the file is missing or no YAML, a key is missing, unknown or there twice, or a value
            has the wrong type or breaks a bound. The message names the file, the line or the key's path, and
            the value.
    """
    content = _read(path)
    if section is not None:
        if not isinstance(content, dict) or section not in content:
            raise SettingsError(f"{path}: the section '{section}' is missing; add it at the top level.")
        content = content[section]
    if content is None:
        content = {}  # nothing but comments: everything keeps its default
    try:
        return msgspec.convert(content, type)
    except msgspec.ValidationError as error:
        from data_access.settings_messages import explain

        raise SettingsError(f"{path}: {explain(str(error), content, type, section)}") from error


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_bytes(), Loader=_UniqueKeyLoader)
    except FileNotFoundError as error:
        raise SettingsError(f"{path} does not exist: put the settings file there.") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}. Make it a readable file.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise SettingsError(f"{path}: {line}this is no valid YAML; {error.problem}.") from error
    # ValueError: a date that no calendar has.
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(f"{path}: this is no valid YAML; {' '.join(str(error).split())}.") from error


class _UniqueKeyLoader(yaml.SafeLoader):
    """Refuses a key that occurs twice: the safe loader lets the last one win, and people edit the first."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        assert isinstance(node, yaml.MappingNode)
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.composer.ComposerError(
                        None, None, f"the key '{key.value}' occurs twice, remove one", key.start_mark
                    )
                seen.add((key.tag, key.value))
        return node
