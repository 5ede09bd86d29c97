"""Typed settings from a YAML file."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from data_access.errors import SettingsError
from data_access.settings_yaml import MOST_BYTES, parse

T = TypeVar("T")


def load_settings(path: Path, type: type[T], section: str | None = None) -> T:
    """The settings of a YAML file as an instance of `type`, every value checked.

    Args:
        type: a `msgspec.Struct`, best declared with `frozen=True, forbid_unknown_fields=True`: without the
            second, msgspec passes over keys that it does not know. Bounds are declared as `Annotated[float,
            msgspec.Meta(ge=0)]`; what concerns several keys at once goes to `__post_init__`, as a ValueError.
        section: where given, the settings are those under this key of the file's top level.

    Raises:
        SettingsError: the file is missing, no YAML or more than a settings file holds (see
            `data_access.settings_yaml`), a key is missing, unknown or there twice, or a value has the wrong type or
            breaks a bound. The message names the file, the line or the key's path, and the value.
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
        with path.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise SettingsError(
                f"{path}: a settings file has at most {MOST_BYTES:,} bytes; name another or shorten it."
            )
        return parse(content)
    except FileNotFoundError as error:
        raise SettingsError(f"{path} does not exist: put the settings file there.") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror or error}. Make it a readable file.") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
        raise SettingsError(f"{path}: {line}this is no valid YAML; {error.problem}.") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: this is no valid YAML; {' '.join(str(error).split())}.") from error
