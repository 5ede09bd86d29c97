"""The folder under which every dataset lies."""

import os
from pathlib import Path

from data_access.errors import DataError

_CLOUD_MOUNT = Path("/nfs")
_DEFAULT = "~/tensorleap/data"


def data_root() -> Path:
    """Folder under which every dataset lies; it need not exist and is not created.

    The first that applies: `LEAP_DATA_ROOT`; `GENERIC_HOST_PATH` (set on an on-premises platform); `/nfs`
    where `IS_CLOUD` is set and `/nfs` exists; `~/tensorleap/data`. A variable that is set to nothing counts
    as unset, and `~` is expanded. The environment is read at each call.

    Raises:
        DataError: the path starts with `~` and this user has no home folder.
    """
    chosen = os.environ.get("LEAP_DATA_ROOT") or os.environ.get("GENERIC_HOST_PATH")
    if not chosen and os.environ.get("IS_CLOUD") and _CLOUD_MOUNT.exists():
        return _CLOUD_MOUNT
    path = Path(chosen or _DEFAULT)
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise DataError(
            f"The data root {path} has no home folder to start from: set LEAP_DATA_ROOT to the full path of the data."
        ) from error
