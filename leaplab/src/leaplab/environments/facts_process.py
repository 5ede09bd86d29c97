"""Run by the interpreter that is asked about: prints what it is, as one line of JSON.

`packages MODULE...` adds what is installed, and which of the modules are absent. Standard library alone, and words that
every Python from 2.7 on parses: one that is too old must still be able to say so.
"""

import json
import sys
import sysconfig


def is_absent(module):
    # type: (str) -> bool
    """Whether no finder knows a module; a dotted name imports its parents."""
    from importlib.util import find_spec

    try:
        return find_spec(module) is None
    except (ImportError, ValueError):
        return True


def told(modules):
    # type: (list[str] | None) -> dict[str, object]
    """What there is to say."""
    facts = {
        "version": list(sys.version_info[:3]),
        "executable": sys.executable,
        "prefix": sys.prefix,
        "platform": sysconfig.get_platform(),
    }  # type: dict[str, object]
    try:
        from importlib import metadata
    except ImportError:  # 3.7 and older: that much is enough to turn it away
        return facts

    def version(distribution, module):
        # type: (str, str) -> str | None
        try:
            return metadata.version(distribution)
        except metadata.PackageNotFoundError:  # a source folder on the path does as well
            return None if is_absent(module) else "unknown"

    facts["makes_environments"] = not (is_absent("venv") or is_absent("ensurepip"))
    facts["numpy"] = version("numpy", "numpy")
    facts["code_loader"] = version("code-loader", "code_loader")
    if modules is not None:
        known = facts["code_loader"] not in (None, "unknown")
        facts["code_loader_needs"] = (metadata.requires("code-loader") if known else None) or []
        facts["distributions"] = {
            one.metadata["Name"]: one.version for one in metadata.distributions() if one.metadata["Name"]
        }
        facts["absent"] = [module for module in modules if is_absent(module)]
    return facts


if __name__ == "__main__":
    # On a line of its own: a sitecustomize may have printed.
    sys.stdout.write("\n" + json.dumps({"leaplab": told(sys.argv[2:] if len(sys.argv) > 1 else None)}) + "\n")
