"""What leaplab knows of an integration after binding it."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from leaplab.errors import LeaplabError
from leaplab.project.locate import find_project
from leaplab.protocol.description import Description, InputSpec, MetadataSpec, Source
from leaplab.protocol.operations import DESCRIBE
from leaplab.session.opening import open_session


def described(root: Path) -> Description:
    with open_session(find_project(root)) as session:
        return session.call(DESCRIBE)


@pytest.fixture(scope="module")
def description(tiny):
    return described(tiny)


def test_states_inputs_and_ground_truths_are_those_declared(description, tiny):
    assert description.states == {"training": 25, "validation": 25}
    assert (description.root, description.entry_file) == (str(tiny), "leap_binder.py")
    assert description.inputs == (InputSpec("bias", (3,), -1), InputSpec("image", (6, 6, 1), -1))
    assert [(spec.name, spec.shape) for spec in description.ground_truths] == [("classes", (3,)), ("smoothed", (3,))]
    assert [(p.name, p.labels, p.channel_dim) for p in description.predictions] == [
        ("classes", ("top", "middle", "bottom"), -1)
    ]
    assert description.has_integration_test


def test_metadata_keeps_its_declared_types(description):
    # An integer whose type is not declared is a float to the platform, and so here.
    assert description.metadata == (
        MetadataSpec("label", "int"),
        MetadataSpec("number", "float"),
        MetadataSpec("brightness", "float"),
        MetadataSpec("shade", "string"),
        MetadataSpec("is_dark", "boolean"),
        MetadataSpec("peak_row", "int"),
        MetadataSpec("peak_height", "float"),
    )


def test_model_inputs_come_in_the_order_of_the_model(description):
    assert description.model_inputs == ("image", "bias")


def test_wiring_follows_the_integration_test_and_not_the_argument_names(description):
    nodes = {node.column: node for node in (*description.losses, *description.metrics, *description.visualizers)}
    classes, smoothed = Source("ground_truth", "classes"), Source("ground_truth", "smoothed")
    image, guess = Source("input", "image"), Source("prediction", index=0)

    assert nodes["cross_entropy"].arguments == {"truth": classes, "guess": guess}
    assert nodes["defined_for_some"].arguments == {"truth": classes, "guess": guess, "image": image}
    assert nodes["confidence"].arguments == {"guess": guess}
    assert nodes["picture"].arguments == {"image": image}
    # One metric, used twice.
    assert nodes["shortfall"].arguments == {"prediction": smoothed, "ground_truth": guess}
    assert nodes["shortfall_1"].arguments == {"prediction": guess, "ground_truth": classes}
    assert nodes["shortfall"].handler == nodes["shortfall_1"].handler == "shortfall"


def test_only_wired_handlers_count(description):
    assert [node.column for node in description.losses] == ["cross_entropy", "defined_for_some"]
    assert [node.column for node in description.metrics] == [
        *("accuracy", "confidence", "spread", "shortfall", "shortfall_1", "confusion"),
    ]
    assert [(node.column, node.type) for node in description.visualizers] == [
        ("picture", "Image"),
        ("probabilities", "HorizontalBar"),
    ]


def test_directions_and_insights_are_those_declared(description):
    metrics = {node.column: (node.directions, node.insights) for node in description.metrics}

    assert metrics["accuracy"] == ({"": "upward"}, {"": True})
    assert metrics["confidence"] == ({"": "upward"}, {"": False})
    assert metrics["spread"] == ({"entropy": "downward", "gap": "upward"}, {"entropy": False, "gap": True})
    assert metrics["shortfall_1"] == ({"": "downward"}, {"": True})


def test_code_digest_is_that_of_the_files_which_the_integration_loads(description, make_project):
    root = make_project()
    (root / "notes.md").write_text("thoughts")
    (root / "unused.py").write_text("raise RuntimeError")
    (root / "data").mkdir()
    (root / "data" / "table.csv").write_text("1,2")
    digests = [described(root).code_sha256]
    assert digests == [description.code_sha256]  # neither the place nor unrelated files count

    for file in ("leap_binder.py", "samples.py", "project_config.yaml"):
        with (root / file).open("a") as opened:
            opened.write("\n# another last line\n")
        digests.append(described(root).code_sha256)

    assert len(set(digests)) == len(digests)


def test_integration_in_this_process_is_described_the_same(description, tiny):
    # In a process of its own, because code-loader's binder is one object a process.
    script = (
        "import sys, msgspec\nfrom pathlib import Path\n"
        "from leaplab.project.locate import find_project\n"
        "from leaplab.protocol.operations import DESCRIBE\n"
        "from leaplab.session.opening import open_session\n"
        "with open_session(find_project(Path(sys.argv[1])), in_process=True) as session:\n"
        "    print(msgspec.json.encode(session.call(DESCRIBE)).decode())\n"
    )
    finished = subprocess.run([sys.executable, "-c", script, tiny], capture_output=True, text=True, check=True)

    assert json.loads(finished.stdout) == json.loads(msgspec.json.encode(description))


def test_integration_without_an_integration_test_has_no_wiring(make_project):
    description = described(make_project("plain"))

    assert not description.has_integration_test
    assert (description.losses, description.metrics, description.visualizers) == ((), (), ())
    assert description.model_inputs == ("vector",)
    assert description.states == {"training": 20, "validation": 12}


def test_own_packages_win_over_those_that_lie_beside_leaplab(make_project):
    # A stranger's integration may have packages of the same names as this repository's.
    root = make_project(
        changes={
            "leap_binder.py": ("HERE = Path(", "from mnist import where\nfrom tasks.here import there\nHERE = Path(")
        }
    )
    for file, text in {
        "mnist/__init__.py": "where = 'mine'\n",
        "tasks/__init__.py": "",
        "tasks/here.py": "there = 'mine'\nimport importlib.util as find\nassert find.find_spec('vision') is None\n",
    }.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(text)

    assert described(root).states == {"training": 25, "validation": 25}


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero (raised at leap_binder.py, line"),
        ("import sys; sys.exit(3)", "ends its process while it is bound (sys.exit(3))"),
        ("import os; print('on my way', flush=True); os._exit(7)", "ended with exit code 7"),
    ],
)
def test_fault_of_the_entry_file_is_one_sentence_that_names_it(make_project, statement, told):
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", f"{statement}\nHERE = Path(")})

    with pytest.raises(LeaplabError) as error:
        described(root)

    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_fault_of_an_encoder_on_the_first_sample_names_encoder_and_place(make_project):
    fault = "    if sample_id == 'training-00':\n        raise ValueError('no such frame')\n    return image\n"
    root = make_project(changes={"leap_binder.py": ("    return image\n", fault)})

    with pytest.raises(LeaplabError, match=r"'image' fails: ValueError\('no such frame'\) in file leap_binder.py"):
        described(root)


def test_handler_that_failed_is_named_and_not_what_follows_from_it(make_project):
    # The input has no shape then, which code-loader complains of in its general error.
    fault = (
        "    from concurrent.futures import ProcessPoolExecutor\n    with ProcessPoolExecutor(1) as pool:\n"
        "        return pool.submit(twice, image).result()\n"
    )
    root = make_project(changes={"leap_binder.py": ("    return image\n", fault)})
    binder = root / "leap_binder.py"
    binder.write_text(
        binder.read_text().replace("HERE = Path(", "def twice(array):\n    return 2 * array\n\n\nHERE = Path(")
    )

    with pytest.raises(LeaplabError, match="^'image' fails: 'twice' cannot be handed to another process") as error:
        described(root)

    assert "shape" not in str(error.value)
    assert "\n" not in str(error.value)


PREPROCESSED = (
    "    return [PreprocessResponse(sample_ids=list(ids), data=ids, state=state) for state, ids in drawn.items()]"
)


def preprocessed(make_project, *more: str) -> Path:
    """The small integration, with more responses, or with other ids where there is no more than an expression."""
    root: Path = make_project(
        changes={
            "leap_binder.py": (PREPROCESSED, PREPROCESSED.replace("return", "found =") + "\n    " + "\n    ".join(more))
        }
    )
    return root


def test_empty_states_are_named(make_project):
    root = preprocessed(
        make_project,
        "for state in (DataStateType.test, DataStateType.unlabeled):",
        "    found.append(PreprocessResponse(sample_ids=[], data={}, state=state))",
        "return found",
    )

    with pytest.raises(
        LeaplabError, match="^preprocess gives no samples for 'test' and 'unlabeled', which code-loader"
    ):
        described(root)


@pytest.mark.parametrize("odd", ["(1, 2)", "Path('a')", "__import__('uuid').uuid4()"])
def test_ids_that_are_neither_text_nor_numbers_are_one_sentence(make_project, odd):
    root = preprocessed(
        make_project, f"return [*found, PreprocessResponse(sample_ids=[{odd}], state=DataStateType.test)]"
    )

    with pytest.raises(LeaplabError, match=r"^preprocess gives sample ids of type [\w.]+, and code-loader expects str"):
        described(root)


def test_layers_that_an_integration_declares_are_no_reason_to_refuse_it(make_project):
    layer = (
        "from code_loader import leap_binder\n\n\nclass Halved:\n    def __init__(self, units): ...\n\n"
        "    def call(self, inputs):\n        return inputs / 2\n\n\nleap_binder.set_custom_layer(Halved, 'Halved')\n"
        "HERE = Path("
    )

    assert described(make_project(changes={"leap_binder.py": ("HERE = Path(", layer)})).inputs


def test_place_of_an_error_is_the_integration_s_own_line(make_project, evaluated, tmp_path):
    # The environment lies below the root, as it does in many projects; the line to look at is not in there.
    fault = "    import vendored\n    vendored.check(sample_id)\n    return image\n"
    start = "import sys\nsys.path.append(str(Path(__file__).parent / '.venv/site-packages'))\nHERE = Path("
    root = make_project(changes={"leap_binder.py": ("    return image\n", fault)})
    text = (root / "leap_binder.py").read_text()
    (root / "leap_binder.py").write_text(text.replace("HERE = Path(", start))
    packages = root / ".venv" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "vendored.py").write_text(
        "def check(sample_id):\n    if '07' in sample_id:\n        raise KeyError('seven')\n"
    )

    with pytest.raises(LeaplabError) as error:
        evaluated(tmp_path, root)

    assert "ample 'training-07' of training: KeyError: 'seven' (leap_binder.py, line" in str(error.value)
    assert "in encode_image)" in str(error.value)


def test_unknown_state_is_told_with_those_that_exist(tiny, evaluated, tmp_path):
    with pytest.raises(LeaplabError, match="no state 'holdout'; this integration has training, validation"):
        evaluated(tmp_path, tiny, states=["holdout"])


def test_integration_that_leaplab_cannot_evaluate_is_refused(make_project):
    instances = """
from code_loader.inner_leap_binder import leapbinder_decorators as decorators

@decorators.tensorleap_false_positive_instances_encoder("found")
def found(sample_id: str, response: PreprocessResponse, predictions: dict) -> list:
    return []

for name in ("classes", "smoothed"):
    @decorators.tensorleap_false_positive_empty_gt(name)
    def empty(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:
        return np.zeros(3, np.float32)

HERE = Path("""
    root = make_project(changes={"leap_binder.py": ("HERE = Path(", instances)})

    with pytest.raises(LeaplabError, match="uses false-positive instances, which leaplab does not evaluate yet"):
        described(root)
