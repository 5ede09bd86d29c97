"""Faults of the integration test and of binding: what people do."""

from tests.leaplab.check.variants import (
    BIAS_CODE,
    BINDER,
    INSTANCES,
    PLOTS,
    RUN,
    RUN_IMAGE,
    at_import,
    fault,
    files,
    included,
    instead,
    old_style,
)

FAULTS = (  # the integration test
    fault("C30", "none", BINDER, "no function", instead("@tensorleap_integration_test()\n", "")),
    fault(
        "C30",
        "two",
        (BINDER, "def integration_test"),
        "another_test",
        instead(
            "\n\n@tensorleap_load_model",
            "\n\n@tensorleap_integration_test()\n"
            "def another_test(sample_id: str, response: PreprocessResponse) -> None:\n"
            "    metadata_number(sample_id, response)\n\n\n@tensorleap_load_model",
        ),
    ),
    fault(
        "C30",
        "none in the older style",
        BINDER,
        "no function",
        prepare=old_style(),
    ),
    fault(
        "C31",
        "numpy",
        (BINDER, "np.asarray(outputs[0])"),
        "np.asarray",
        instead("guess = outputs[0]", "guess = np.asarray(outputs[0])"),
    ),
    fault(
        "C32",
        "scaling",
        (BINDER, "response) * 2"),
        "encode_image(sample_id, response) * 2",
        instead("image = encode_image(sample_id, response)", "image = encode_image(sample_id, response) * 2"),
    ),
    fault(
        "C33",
        "if",
        (BINDER, "    if response.state"),
        "if response.state",
        instead(
            "    metric_accuracy(classes, guess)\n",
            "    if response.state == DataStateType.validation:\n        metric_accuracy(classes, guess)\n",
        ),
    ),
    fault(
        "C31",
        "plots of its own",
        (BINDER, "    visualize(picture"),
        "'visualize'",
        (
            *at_import("def visualize(picture: Any) -> None:\n    assert picture is not None"),
            *instead(
                "    visualize_picture(image)\n", "    picture = visualize_picture(image)\n    visualize(picture)\n"
            ),
        ),
    ),
    fault(
        "C33",
        "plots by what was predicted",
        (BINDER, "    if guess"),
        "if guess is not None",
        (
            *PLOTS,
            *instead("    if PLOT:\n", "    if guess is not None:\n        show(picture)\n    if PLOT:\n"),
        ),
    ),
    fault(
        "C33",
        "metric by the environment",
        (BINDER, "    if os.environ"),
        "if os.environ.get",
        (
            *at_import("import os"),
            *instead(
                "    metric_accuracy(classes, guess)\n",
                "    if os.environ.get('PATH'):\n        metric_accuracy(classes, guess)\n",
            ),
        ),
    ),
    fault(
        "C33",
        "loop over metrics",
        (BINDER, "    for metric in"),
        "for metric in",
        instead(
            "    metric_accuracy(classes, guess)\n    metric_confidence(guess)\n",
            "    for metric in (metric_accuracy,):\n        metric(classes, guess)\n    metric_confidence(guess)\n",
        ),
    ),
    fault(
        "C34",
        "sample read",
        (BINDER, "drawn = response.data"),
        "response.data",
        instead("    guess = outputs[0]\n", "    guess = outputs[0]\n    drawn = response.data[sample_id]\n"),
    ),
    fault(
        "C35",
        "metric not called",
        (BINDER, "def metric_confidence"),
        "metric 'confidence'",
        instead("    metric_confidence(guess)\n", ""),
    ),
    fault(
        "C35",
        "instance metric not called",
        (BINDER, "def metric_overlap"),
        "instance metric 'overlap'",
        (*INSTANCES, *instead("    metric_overlap(image)\n", "")),
    ),
    fault(
        "C36",
        "encoder not used",
        (BINDER, "bias = encode_bias("),
        "encode_bias",
        instead(RUN, RUN_IMAGE),
        model={"inputs": ("image",)},
    ),
    fault(
        "C37",
        "three arguments",
        (BINDER, "def integration_test"),
        "3 arguments",
        instead(
            "def integration_test(sample_id: str, response: PreprocessResponse)",
            "def integration_test(sample_id: str, response: PreprocessResponse, verbose: bool)",
        ),
    ),
    fault(
        "C38",
        "second output",
        (BINDER, "def load_model"),
        "'logits'",
        instead(
            "labels=LABELS, channel_dim=-1)]",
            "labels=LABELS, channel_dim=-1),\n"
            '     PredictionTypeHandler(name="logits", labels=LABELS, channel_dim=-1)]',
        ),
        model={"outputs": 2},
    ),
    fault(
        "C39",
        "bars without names",
        (BINDER, "def visualize_probabilities"),
        "labels length (2)",
        instead("LeapHorizontalBar(guess[0], LABELS,", "LeapHorizontalBar(guess[0], LABELS[:2],"),
    ),
    # binding
    fault(
        "C40",
        "file that is missing",
        (BINDER, "NAMES = "),
        "names.txt",
        at_import('NAMES = (HERE / "names.txt").read_text()'),
    ),
    fault("C41", "exit", (BINDER, "raise SystemExit"), "ends the process", at_import("raise SystemExit('no licence')")),
    fault("C41", "hard exit", BINDER, "exit code 0", at_import("import os\n\nos._exit(0)")),
    fault("C41", "killed", BINDER, "SIGKILL", at_import("import os, signal\n\nos.kill(os.getpid(), signal.SIGKILL)")),
    fault("C41", "endless loop", BINDER, "within 5 s", at_import("while True:\n    pass"), time_limit=5),
    fault(
        "C41",
        "encoder that hangs on one sample",
        BINDER,
        "within 10 s",
        instead(BIAS_CODE, f"    while sample_id.endswith('-24'):\n        pass\n{BIAS_CODE}"),
        time_limit=10,
    ),
    fault(
        "C42",
        "print",
        (BINDER, "print("),
        "loading settings",
        at_import("print('loading settings', SETTINGS)"),
    ),
    fault("C42", "megabytes", (BINDER, "print("), "xxxx", at_import("for _ in range(64):\n    print('x' * 2**18)")),
    fault(
        "C43",
        "tensorflow",
        (BINDER, "import tensorflow"),
        "imports tensorflow",
        (
            *at_import("import tensorflow as tf"),
            *included("- tensorflow/**"),
        ),
        files({"tensorflow/__init__.py": "class keras:\n    class Model: ...\n"}),
    ),
    fault(
        "C44",
        "connection",
        (BINDER, "socket.create_connection"),
        "127.0.0.1",
        at_import(
            "import contextlib, socket\n\n"
            "with contextlib.suppress(OSError):\n    socket.create_connection(('127.0.0.1', 9), 1).close()"
        ),
    ),
    fault("C45", "cache", (BINDER, "write_text"), "cache.json", at_import('(HERE / "cache.json").write_text("{}")')),
    fault("C46", "chdir", (BINDER, "os.chdir"), "/", at_import('import os\n\nos.chdir("/")')),
    fault(
        "C47",
        "metric direction",
        (BINDER, "def metric_accuracy"),
        "'direction",
        instead('"accuracy", direction=MetricDirection.Upward, ', '"accuracy", '),
    ),
    fault(
        "C47",
        "state",
        (BINDER, "def preprocess"),
        "'PreprocessResponse.state' is not given in preprocess: the first response of its list becomes training",
        (
            *instead(", state=DataStateType.training", ""),
            *instead(", state=DataStateType.validation", ""),
        ),
    ),
    fault(
        "C48",
        "loss of an input",
        (BINDER, "def loss_cross_entropy"),
        "takes the input 'bias'",
        (
            *instead(RUN, RUN_IMAGE),
            *instead(
                "def loss_cross_entropy(truth: NDArray[np.float32], guess: NDArray[np.float32])",
                "def loss_cross_entropy(truth: NDArray[np.float32], guess: NDArray[np.float32], bias: Any)",
            ),
            *instead("    loss_cross_entropy(classes, guess)", "    loss_cross_entropy(classes, guess, bias)"),
        ),
        model={"inputs": ("image",)},
    ),
    fault(
        "C49",
        "arguments in the wrong order",
        (BINDER, "encode_bias(response, sample_id)"),
        "got PreprocessResponse",
        instead("bias = encode_bias(sample_id, response)", "bias = encode_bias(response, sample_id)"),
    ),
    fault(
        "C50",
        "path of the cluster",
        (BINDER, "FileNotFoundError"),
        "/mnt/data",
        at_import(
            "import os\n\n"
            "if os.environ.get('IS_TENSORLEAP_PLATFORM') == 'true':\n    raise FileNotFoundError('/mnt/data')"
        ),
    ),
)
