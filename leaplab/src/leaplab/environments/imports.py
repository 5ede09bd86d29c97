"""Which third-party modules an integration imports, read off its source."""

import ast
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project

DISTRIBUTIONS = {
    "Bio": "biopython",
    "Crypto": "pycryptodome",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "albumentations": "albumentations",
    "attr": "attrs",
    "boto3": "boto3",
    "botocore": "botocore",
    "bs4": "beautifulsoup4",
    "code_loader": "code-loader",
    "cv2": "opencv-python",
    "cython_bbox": "cython-bbox",
    "datasets": "datasets",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "editdistance": "editdistance",
    "einops": "einops",
    "faiss": "faiss-cpu",
    "fitz": "pymupdf",
    "git": "gitpython",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.storage": "google-cloud-storage",
    "google.oauth2": "google-auth",
    "google.protobuf": "protobuf",
    "googleapiclient": "google-api-python-client",
    "h5py": "h5py",
    "imageio": "imageio",
    "imblearn": "imbalanced-learn",
    "joblib": "joblib",
    "jwt": "pyjwt",
    "keras": "keras",
    "keras_cv": "keras-cv",
    "librosa": "librosa",
    "lightning": "lightning",
    "magic": "python-magic",
    "matplotlib": "matplotlib",
    "mpl_toolkits": "matplotlib",
    "nibabel": "nibabel",
    "numpy": "numpy",
    "omegaconf": "omegaconf",
    "onnx": "onnx",
    "onnxruntime": "onnxruntime",
    "pandas": "pandas",
    "pkg_resources": "setuptools<81",
    "plotly": "plotly",
    "psutil": "psutil",
    "pycocotools": "pycocotools",
    "pydicom": "pydicom",
    "pytorch_lightning": "pytorch-lightning",
    "requests": "requests",
    "ruamel": "ruamel.yaml",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "segmentation_models": "segmentation-models",
    "serial": "pyserial",
    "shapely": "shapely",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "skvideo": "scikit-video",
    "slugify": "python-slugify",
    "soundfile": "soundfile",
    "tensorboard": "tensorboard",
    "tensorflow": "tensorflow",
    "tensorflow_addons": "tensorflow-addons",
    "tensorflow_datasets": "tensorflow-datasets",
    "tensorflow_hub": "tensorflow-hub",
    "tensorflow_probability": "tensorflow-probability",
    "tf_keras": "tf-keras",
    "tokenizers": "tokenizers",
    "torch": "torch",
    "torchaudio": "torchaudio",
    "torchvision": "torchvision",
    "tqdm": "tqdm",
    "transformers": "transformers",
    "ultralytics": "ultralytics",
    "wandb": "wandb",
    "websocket": "websocket-client",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""Module -> the distribution that brings it. Those of the same name stand here too: they are known to be third-party.
Another module's distribution is looked for under the module's own name."""
SHARED_NAMES = ("google", "google.cloud")
"""Modules that many distributions have a part of: what is below them tells which one is meant."""
LEFT_THE_LIBRARY = ("asynchat", "asyncore", "binhex", "distutils", "formatter", "imp", "parser", "smtpd", "symbol")
"""In the standard library of 3.8, and no longer in that of the Pythons that run leaplab."""
NOT_SOURCE = ("__pycache__", "node_modules", "site-packages")


@dataclass
class Imports:
    """What an integration imports that neither it nor the standard library has.

    Attributes:
        modules: module -> the file, relative to the root, that imports it first.
        notes: a sentence for each file that could not be read.
    """

    modules: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_imports(root: Path) -> Imports:
    """The third-party modules of the entry file and of the folder's own modules that it comes to import.

    A folder without an entry file is read whole. Passed over: imports that the code itself can do without (inside
    try, with an except that catches ImportError), that only a type checker or a direct run of the file sees.
    """
    root = root.resolve()
    sources = _Sources(root)
    try:
        project = find_project(root)
        pending = [project.root / project.entry_file]
    except LeaplabError:
        pending = sources.files
    imports = Imports()
    seen = set(pending)
    while pending:
        path = pending.pop(0)
        for name, level in _imported(path, root, imports):
            for own in sources.own_files(name, level, path):
                if own not in seen:
                    seen.add(own)
                    pending.append(own)
            if not level and (module := _third_party(name)) and not sources.has(module, path):
                imports.modules.setdefault(module, str(path.relative_to(root)))
    return imports


def distribution_of(module: str) -> str:
    """What pip is asked for to bring a module."""
    return DISTRIBUTIONS.get(module, module)


def _third_party(name: str) -> str | None:
    """The part of a dotted name that a distribution brings; None for the standard library's."""
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names or parts[0] in LEFT_THE_LIBRARY or parts[0] == "__main__":
        return None
    known = [".".join(parts[:length]) for length in range(len(parts), 0, -1)]
    module = next((part for part in known if part in DISTRIBUTIONS), parts[0])
    return None if module in SHARED_NAMES else module


class _Sources:
    """The Python files below a root."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = sorted(_python_files(root))
        self.folders = {folder for path in self.files for folder in path.parents if folder != root}
        self._named: dict[str, list[Path]] = {}
        for path in self.files:
            self._named.setdefault(path.stem, []).append(path.parent)
        for folder in sorted(self.folders):
            if folder.is_relative_to(root):
                self._named.setdefault(folder.name, []).append(folder.parent)

    def has(self, module: str, importer: Path) -> bool:
        """Whether the folder itself has the module."""
        return bool(self._bases(module.split(".")[0], importer))

    def own_files(self, name: str, level: int, importer: Path) -> Iterator[Path]:
        """The folder's own files that an import of `name` runs, or may run."""
        parts = [part for part in name.split(".") if part]
        if level:
            bases = [folder for folder in importer.parents[level - 1 : level] if folder.is_relative_to(self.root)]
        else:
            bases = self._bases(parts[0], importer)
        for base in bases:
            place = base
            if level and (place / "__init__.py").is_file():
                yield place / "__init__.py"
            for part in parts:
                if (file := place / f"{part}.py").is_file():
                    yield file
                place /= part
                if (file := place / "__init__.py").is_file():
                    yield file

    def _bases(self, module: str, importer: Path) -> list[Path]:
        """Folders that have the module: the root and the importing file's, else any, for code extends its own path."""
        near = [
            base
            for base in dict.fromkeys((self.root, importer.parent))
            if (base / f"{module}.py").is_file() or base / module in self.folders
        ]
        # A file that happens to be called torch.py, somewhere in the folder, is not what `import torch` means.
        return near or ([] if module in DISTRIBUTIONS else self._named.get(module, []))


def _python_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in NOT_SOURCE and not Path(folder, name, "pyvenv.cfg").exists()
        )
        yield from (Path(folder, name) for name in files if name.endswith(".py"))


def _imported(path: Path, root: Path, imports: Imports) -> Iterator[tuple[str, int]]:
    """Dotted names that a file imports, each with how many dots it begins with."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else " ".join(str(error).split())
        imports.notes.append(f"{path.relative_to(root)} cannot be read ({reason}); what it imports is not known.")
        return
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop(0)
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if base:
                yield base, node.level
            yield from ((f"{base}.{alias.name}".lstrip("."), node.level) for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.Try) and _can_do_without(node):
            pending += [*node.orelse, *node.finalbody]
        elif isinstance(node, ast.If) and _is_never_met(node.test):
            pending += node.orelse
        else:
            pending += ast.iter_child_nodes(node)


def _can_do_without(node: ast.Try) -> bool:
    """Whether the body may fail for want of a module: it says so, or it does nothing but import."""
    only_imports = all(isinstance(one, ast.Import | ast.ImportFrom | ast.Assign) for one in node.body)
    return any(
        (only_imports and (handler.type is None or _names(handler.type) & {"Exception", "BaseException"}))
        or (handler.type is not None and _names(handler.type) & {"ImportError", "ModuleNotFoundError"})
        for handler in node.handlers
    )


def _names(node: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _is_never_met(test: ast.expr) -> bool:
    """TYPE_CHECKING, or `__name__ == "__main__"`."""
    names = _names(test)
    attributes = {one.attr for one in ast.walk(test) if isinstance(one, ast.Attribute)}
    return "TYPE_CHECKING" in names | attributes or (isinstance(test, ast.Compare) and "__name__" in names)
