"""Faults of leap.yaml, of what a push uploads, and of the source: what people do."""

from pathlib import Path

from tests.leaplab.check.variants import (
    BINDER,
    HOME,
    LEAP_YAML,
    REQUIREMENTS,
    SAMPLES,
    SECRET,
    at_import,
    fault,
    files,
    included,
    instead,
)


def _renamed_entry(root: Path) -> None:
    (root / BINDER).rename(root / "binder.py")


def _caches(root: Path) -> None:
    folder = root / "__pycache__"
    folder.mkdir()
    (folder / "samples.cpython-311.pyc").write_bytes(b"\0")


def _sparse(root: Path) -> None:
    with (root / "weights.bin").open("wb") as file:
        file.truncate(200 * 2**20)


def _broken_link(root: Path) -> None:
    (root / "labels").mkdir()
    (root / "labels" / "classes.txt").symlink_to("/nowhere/classes.txt")


FAULTS = (  # leap.yaml
    fault("C01", "none", LEAP_YAML, "holds no leap.yaml", prepare=lambda root: (root / LEAP_YAML).unlink()),
    fault("C02", "missing", LEAP_YAML, "does not exist", ((LEAP_YAML, ": leap_binder.py", ": missing.py"),)),
    fault(
        "C03",
        "another name",
        LEAP_YAML,
        "binder.py",
        ((LEAP_YAML, ": leap_binder.py", ": binder.py"), (LEAP_YAML, "- leap_binder.py", "- binder.py")),
        _renamed_entry,
    ),
    fault("C04", "old version", LEAP_YAML, "py37", ((LEAP_YAML, "py311", "py37"),)),
    fault("C05", "unknown key", LEAP_YAML, "model", ((LEAP_YAML, "py311", "py311\nmodel: tiny.onnx"),)),
    fault(
        "C06",
        "project id in a checkout",
        LEAP_YAML,
        "projectId",
        ((LEAP_YAML, "py311", "py311\nprojectId: 6571abc"),),
        lambda root: (root / ".git").mkdir(),
    ),
    fault("C07", "bracket not closed", LEAP_YAML, "[ab", included("- 'labels/[ab.txt'")),
    fault(
        "C08",
        "folder in include",
        LEAP_YAML,
        "'labels' names a folder",
        included("- labels"),
        files({"labels/classes.txt": "a\n"}),
    ),
    fault(
        "C09",
        "folder in exclude",
        LEAP_YAML,
        "'labels' names a folder",
        included("- labels/**\nexclude:\n- labels"),
        files({"labels/classes.txt": "a\n"}),
    ),
    # the bundle
    fault("C10", "no requirements", LEAP_YAML, "none of", ((LEAP_YAML, f"- {REQUIREMENTS}\n", ""),)),
    fault("C11", "module left out", (BINDER, "import samples"), "samples.py", ((LEAP_YAML, "- samples.py\n", ""),)),
    fault(
        "C11",
        "module of the model loader left out",
        "loading.py",
        "loading.py",
        instead("    import onnxruntime\n", "    import loading\n    import onnxruntime\n"),
        files({"loading.py": "DEVICE = 'cpu'\n"}),
    ),
    fault(
        "C11",
        "package whose init file does something left out",
        (BINDER, "from scales import names"),
        "scales/__init__.py",
        (*at_import("from scales import names"), *included("- scales/names.py")),
        files({"scales/__init__.py": "SCALES = []\n", "scales/names.py": "NAMES = ['metres']\n"}),
    ),
    fault(
        "C12",
        "settings left out",
        (BINDER, "SETTINGS = "),
        "project_config.yaml",
        ((LEAP_YAML, "- project_config.yaml\n", ""),),
    ),
    fault("C13", "distribution not listed", (BINDER, "import msgspec"), "msgspec", at_import("import msgspec")),
    fault(
        "C13",
        "distribution that does not exist",
        REQUIREMENTS,
        "no-such-distribution-of-ours",
        ((REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nno-such-distribution-of-ours~=1.0"),),
        origin="option",
    ),
    fault(
        "C13",
        "distribution that is missing and imported",
        REQUIREMENTS,
        "not-installed-here",
        ((REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnot-installed-here~=1.0"), *at_import("import its_module.deeper")),
        origin="option",
    ),
    fault(
        "C13",
        "another version",
        REQUIREMENTS,
        "numpy<1 is required",
        ((REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnumpy<1"),),
        origin="option",
    ),
    fault(
        "C13",
        "distribution that is missing and imported by preprocess",
        REQUIREMENTS,
        "not-installed-here",
        (
            (REQUIREMENTS, "pyyaml~=6.0", "pyyaml~=6.0\nnot-installed-here~=1.0"),
            *instead("    training = samples.draw(", "    import its_module\n    training = samples.draw("),
        ),
        origin="option",
    ),
    fault(
        "C13",
        "module that nothing brings",
        (BINDER, "import nowhere_at_all"),
        "nowhere_at_all is imported",
        at_import("import nowhere_at_all.deeper"),
    ),
    fault("C14", "everything included", LEAP_YAML, "__pycache__", included("- '**'"), _caches),
    fault("C15", "large file", LEAP_YAML, "200 MiB", included("- weights.bin"), _sparse),
    fault("C16", "broken link", "labels/classes.txt", "leads nowhere", included("- labels/**"), _broken_link),
    fault("C17", "key", (SAMPLES, "KEY"), "AWS", ((SAMPLES, "SIZE, CLASSES", f'KEY = "{SECRET}"\nSIZE, CLASSES'),)),
    fault(
        "C18", "home path", (SAMPLES, "DATA"), HOME, ((SAMPLES, "SIZE, CLASSES", f'DATA = "{HOME}"\nSIZE, CLASSES'),)
    ),
    fault("C19", "no version", REQUIREMENTS, "pyyaml", ((REQUIREMENTS, "pyyaml~=6.0", "pyyaml"),)),
    # source
    fault(
        "C20",
        "bracket not closed",
        (SAMPLES, "SHADES = ("),
        "never closed",
        ((SAMPLES, '"hell & weiß")', '"hell & weiß"'),),
    ),
    fault(
        "C21",
        "string annotations",
        (BINDER, "from __future__"),
        "strings",
        instead("from pathlib", "from __future__ import annotations\n\nfrom pathlib"),
    ),
    fault(
        "C22",
        "no return annotation",
        (BINDER, "def visualize_picture"),
        "visualize_picture",
        instead("(image: NDArray[np.float32]) -> LeapImage:", "(image: NDArray[np.float32]):"),
    ),
    fault(
        "C23",
        "length",
        (BINDER, "length=len(training)"),
        "length",
        (
            *instead("sample_ids=list(training), data=training", "length=len(training), data=list(training.values())"),
            *instead(
                "sample_ids=list(validation), data=validation",
                "length=25, data=list(validation.values())",
            ),
        ),
    ),
    fault(
        "C24",
        "newer syntax",
        (SAMPLES, "    match state:"),
        "3.9",
        (
            (LEAP_YAML, "py311", "py39"),
            (
                SAMPLES,
                "    drawn = {}",
                "    drawn = {}\n    match state:\n        case 'test':\n            count = 0",
            ),
        ),
    ),
)
