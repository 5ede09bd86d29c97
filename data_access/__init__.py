"""Where the data lies, how it gets there, and how much of it is used.

Importing this package touches neither disk nor network and loads no heavy library: an integration imports it
while it binds.
"""

from data_access.archive import extract
from data_access.download import RemoteFile, fetch, verify
from data_access.errors import DataError, SettingsError
from data_access.root import data_root
from data_access.sampling import limit
from data_access.settings import load_settings

__all__ = [
    "DataError",
    "RemoteFile",
    "SettingsError",
    "data_root",
    "extract",
    "fetch",
    "limit",
    "load_settings",
    "verify",
]
