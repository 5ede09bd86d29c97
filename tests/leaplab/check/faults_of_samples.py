"""Faults of preprocess, encoders, latent spaces, simulations and metadata: what people do."""

from tests.leaplab.check.variants import (
    BIAS_CODE,
    BINDER,
    BRIGHTNESS_CODE,
    CLASSES_CODE,
    FALSE_POSITIVES,
    IMAGE_CODE,
    INSTANCES,
    MASK_CODE,
    NUMBER_CODE,
    PEAK_CODE,
    ROWS_CODE,
    SIMULATION,
    VALIDATION,
    at_import,
    fault,
    files,
    imported,
    included,
    instead,
)

FAULTS = (  # samples
    fault(
        "C51",
        "id twice",
        (BINDER, "def preprocess"),
        "'training-00' occurs 2 times",
        instead("sample_ids=list(training)", 'sample_ids=[*training, "training-00"]'),
    ),
    fault(
        "C51",
        "id of an instance",
        (BINDER, "def preprocess"),
        "'training-02_0' of training is also the id of instance 0 of 'training-02'",
        (
            *INSTANCES,
            *instead("    return [\n", '    training["training-02_0"] = training["training-01"]\n    return [\n'),
        ),
    ),
    fault(
        "C52",
        "ids of another state",
        (BINDER, "def preprocess"),
        "training-00",
        instead(
            "    return [\n",
            '    validation = {name.replace("validation", "training"): drawn for name, drawn in validation.items()}\n'
            "    return [\n",
        ),
    ),
    fault(
        "C53",
        "positions",
        (BINDER, "def preprocess"),
        "integers",
        (
            *instead(
                "sample_ids=list(training), data=training",
                "sample_ids=list(range(25)), sample_id_type=int, data=list(training.values())",
            ),
            *instead(
                "sample_ids=list(validation), data=validation",
                "sample_ids=list(range(25)), sample_id_type=int, data=list(validation.values())",
            ),
        ),
    ),
    fault(
        "C54",
        "one sample raises",
        (BINDER, "[0] * 24"),
        "list index out of range",
        instead(NUMBER_CODE, "    return ([0] * 24)[number]\n"),
    ),
    fault(
        "C54",
        "every sample raises",
        (BINDER, "number.item()"),
        "no attribute 'item'",
        instead(NUMBER_CODE, "    return number.item()\n"),
    ),
    fault(
        "C54",
        "a pool of processes",
        (BINDER, "pool.map"),
        "define 'halved' in a module beside the entry file",
        (
            *at_import("import multiprocessing\n\n\ndef halved(number: float) -> float:\n    return number / 2"),
            *instead(
                BRIGHTNESS_CODE,
                "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
                "        return float(pool.map(halved, [brightness or 0.0])[0])\n",
            ),
        ),
    ),
    fault(
        "C55", "float64", (BINDER, "def encode_bias"), "float64", instead(BIAS_CODE, BIAS_CODE + ".astype(np.float64)")
    ),
    fault(
        "C55",
        "float64 of some samples",
        (BINDER, "def encode_bias"),
        "float64",
        instead(BIAS_CODE, BIAS_CODE + ' * (np.float64(2) if sample_id.endswith("-24") else np.float32(1))'),
    ),
    fault(
        "C56",
        "shape by the sample",
        (BINDER, "def encode_bias"),
        "(2,)",
        instead(BIAS_CODE, BIAS_CODE + '[: 2 if sample_id.endswith("-24") else 3]'),
    ),
    fault(
        "C57",
        "division by zero",
        (BINDER, "def encode_bias"),
        "NaN or infinity",
        instead(BIAS_CODE, BIAS_CODE + ' / np.float32(0 if sample_id.endswith("-24") else 1)'),
    ),
    fault(
        "C58",
        "zeros where a file is missing",
        (BINDER, "def encode_bias"),
        "'bias'",
        instead(BIAS_CODE, BIAS_CODE.replace("return bias", "return np.zeros_like(bias)")),
    ),
    fault(
        "C59",
        "augmentation",
        (BINDER, "def encode_image"),
        "differs",
        instead(IMAGE_CODE, IMAGE_CODE + " + np.random.normal(0, 0.01, image.shape).astype(np.float32)"),
    ),
    fault(
        "C54",
        "one instance raises",
        (BINDER, "[0.5][number]"),
        "Instance masks 'parts' on instance 1",
        (*INSTANCES, *instead(MASK_CODE, f"    threshold = [0.5][number]\n{MASK_CODE.replace('0.5', 'threshold')}")),
    ),
    fault(
        "C59",
        "augmented masks",
        (BINDER, "def encode_part"),
        "Instance 0 of sample",
        (*INSTANCES, *instead(MASK_CODE, f"{MASK_CODE}    mask[0] = 1 + np.random.rand()\n")),
    ),
    fault(
        "C63",
        "unknown shade of an instance",
        (BINDER, "def encode_part"),
        "Instance metadata 'shade' is 'unknown'",
        (*INSTANCES, *instead('"bright" if number else None', '"bright" if number else "unknown"')),
    ),
    fault(
        "C64",
        "keys that are new on an instance",
        (BINDER, "def encode_part"),
        "metadata 'late'",
        (
            *INSTANCES,
            *instead(MASK_CODE, f"{MASK_CODE}    late = {{'late': 1.0}} if number else {{}}\n"),
            *instead('"bright" if number else None}', '"bright" if number else None, **late}'),
        ),
    ),
    fault(
        "C93",
        "mask divided by nothing",
        (BINDER, "def encode_part"),
        "its mask holds NaN or infinity",
        (*INSTANCES, *instead(MASK_CODE, f"{MASK_CODE}    mask[0] = np.nan\n")),
    ),
    fault(
        "C94",
        "mask of another size",
        (BINDER, "def encode_part"),
        "has shape (3, 6); the inputs are 'image' (6, 6, 1), 'bias' (3,)",
        (*INSTANCES, *instead(MASK_CODE, f"{MASK_CODE}    mask = mask[:3]\n")),
    ),
    fault("C60", "batch axis", (BINDER, "def encode_bias"), "(1, 3)", instead(BIAS_CODE, BIAS_CODE + "[None]")),
    fault(
        "C61",
        "large class ids",
        (BINDER, "def encode_classes"),
        "3000",
        instead(CLASSES_CODE, CLASSES_CODE + " * np.float32(3000)"),
    ),
    fault("C87", "list", (BINDER, "def encode_bias"), "numpy array", instead(BIAS_CODE, BIAS_CODE + ".tolist()")),
    fault(
        "C88",
        "wide space",
        (BINDER, "def latent_rows"),
        "4096",
        instead(ROWS_CODE, "    return np.resize(rows, 5000)\n"),
    ),
    fault(
        "C88",
        "too many spaces",
        (BINDER, "    @tensorleap_custom_latent_space(f"),
        "at most 10",
        instead(
            "\n\n@tensorleap_custom_loss",
            '\n\nfor place in range(10):\n\n    @tensorleap_custom_latent_space(f"rows_{place}")\n'
            "    def space(sample_id: str, response: PreprocessResponse) -> NDArray[np.float32]:\n"
            "        return latent_rows(sample_id, response)\n"
            "\n\n@tensorleap_custom_loss",
        ),
    ),
    fault(
        "C89",
        "no seed",
        (BINDER, "def simulate"),
        "differs",
        (
            *imported("tensorleap_simulation"),
            *instead(
                "\n\n@tensorleap_integration_test()",
                SIMULATION.replace('"more", N, seed', '"more", N, int(np.random.randint(1000))'),
            ),
        ),
    ),
    fault(
        "C89",
        "encoders cannot read it",
        (BINDER, "def simulate"),
        "KeyError",
        (
            *imported("tensorleap_simulation"),
            *instead(
                "\n\n@tensorleap_integration_test()",
                SIMULATION.replace("list(range(N)), sample_id_type=int", "[f'more-{n}' for n in range(N)]").replace(
                    "dict(enumerate(drawn))", "{f'more-{n}': one for n, one in enumerate(drawn)}"
                ),
            ),
        ),
    ),
    # preprocess
    fault(
        "C65",
        "one state",
        (BINDER, "def preprocess"),
        "Validation data is required",
        instead(f"        {VALIDATION},\n", ""),
    ),
    fault(
        "C65",
        "data that is missing",
        (BINDER, "read_bytes"),
        "digits.npz",
        instead("    training = samples", '    (HERE / "digits.npz").read_bytes()\n    training = samples'),
    ),
    fault(
        "C65",
        "state without samples",
        (BINDER, "def preprocess"),
        "test and unlabeled hold no samples",
        instead(
            f"        {VALIDATION},\n",
            f"        {VALIDATION},\n"
            "        PreprocessResponse(sample_ids=[], data={}, state=DataStateType.test),\n"
            "        PreprocessResponse(sample_ids=[], data={}, state=DataStateType.unlabeled),\n",
        ),
    ),
    fault(
        "C97",
        "array of ids",
        (BINDER, "def preprocess"),
        "The sample ids of training are in a numpy.ndarray",
        instead("sample_ids=list(training)", "sample_ids=np.array(list(training))"),
    ),
    fault(
        "C97",
        "texts of numpy",
        (BINDER, "def preprocess"),
        "The first sample id is of the type numpy.str_",
        instead("sample_ids=list(training)", "sample_ids=list(map(np.str_, training))"),
    ),
    fault(
        "C97",
        "texts of another type",
        (BINDER, "def preprocess"),
        "The sample ids of training are of the type pathlike.Name",
        (
            *at_import("from pathlike import Name"),
            *included("- pathlike.py"),
            *instead("sample_ids=list(training)", "sample_ids=[*list(training)[:-1], Name(list(training)[-1])]"),
        ),
        files({"pathlike.py": "class Name(str):\n    pass\n"}),
    ),
    fault(
        "C66",
        "whole paths",
        (BINDER, "def preprocess"),
        "256",
        instead(
            "    return [\n",
            '    training = {"x" * 300 + name: drawn for name, drawn in training.items()}\n    return [\n',
        ),
    ),
    fault(
        "C67",
        "shuffled",
        (BINDER, "def preprocess"),
        "training",
        instead(
            "    return [\n",
            "    training = dict(np.random.permutation(np.array(list(training.items()), object)))\n    return [\n",
        ),
    ),
    # metadata
    fault(
        "C62",
        "nan",
        (BINDER, "def metadata_brightness"),
        "is nan",
        instead(BRIGHTNESS_CODE, '    return float("nan") if brightness is None else brightness\n'),
    ),
    fault(
        "C63",
        "minus one",
        (BINDER, "def metadata_brightness"),
        "-1",
        instead(BRIGHTNESS_CODE, "    return -1.0 if brightness is None else brightness\n"),
    ),
    fault(
        "C64",
        "keys that are missing",
        (BINDER, "def metadata_peak"),
        "missing",
        instead(PEAK_CODE, '    return {"height": peak["height"]} if peak["row"] is None else peak\n'),
    ),
    fault(
        "C64",
        "keys that are new",
        (BINDER, "def metadata_peak"),
        "same keys",
        instead(PEAK_CODE, '    return {**peak, "column": 3} if peak["row"] is None else peak\n'),
    ),
    fault(
        "C68",
        "too many keys",
        BINDER,
        "800 metadata keys",
        instead(PEAK_CODE, '    return peak | {f"moment_{n}": float(n) for n in range(800)}\n'),
    ),
    fault(
        "C69",
        "list",
        (BINDER, "def metadata_number"),
        "list",
        instead(NUMBER_CODE, "    return [number]\n"),
    ),
    fault(
        "C69",
        "float that is declared int",
        (BINDER, "def metadata_number"),
        "declare it float",
        instead(NUMBER_CODE, "    return number / 2\n"),
    ),
    fault(
        "C95",
        "truth value of a file",
        (BINDER, "def metadata_number"),
        "is the text 'False', and its column is of truth values",
        (
            *instead('"number", DatasetMetadataType.int', '"number", DatasetMetadataType.boolean'),
            *instead(NUMBER_CODE, "    return str(number < 0)\n"),
        ),
    ),
    fault(
        "C95",
        "number that none can read",
        (BINDER, "def metadata_brightness"),
        "is the text '12,5 cd', and its column is declared float",
        instead(BRIGHTNESS_CODE, "    return '12,5 cd' if sample_id.endswith('-24') else str(brightness or 0)\n"),
    ),
    fault(
        "C96",
        "nanoseconds",
        (BINDER, "def metadata_number"),
        "where doubles lie 256 apart",
        instead(NUMBER_CODE, "    return 1_764_000_000_000_000_000 + 20 * number\n"),
    ),
    fault(
        "C86",
        "no type",
        (BINDER, "def metadata_brightness"),
        "None",
        instead('"brightness", DatasetMetadataType.float', '"brightness"'),
    ),
    fault(
        "C86",
        "no type and none at first",
        (BINDER, "def metadata_brightness"),
        "None",
        (
            *instead('"brightness", DatasetMetadataType.float', '"brightness"'),
            *instead(BRIGHTNESS_CODE, '    return None if sample_id.endswith("-00") else brightness\n'),
        ),
    ),
    fault(
        "C90",
        "metadata that does not exist",
        BINDER,
        "'weather'",
        at_import(
            "from code_loader import leap_binder\n\n"
            'leap_binder.leap_analysis_configuration.domain_gap_metadata = ["weather"]'
        ),
    ),
    fault(
        "C91",
        "false positives",
        BINDER,
        "false-positive instances",
        (
            *imported("tensorleap_false_positive_empty_gt,\n    tensorleap_false_positive_instances_encoder"),
            *instead("\n\n@tensorleap_custom_loss", FALSE_POSITIVES + "\n\n@tensorleap_custom_loss"),
        ),
    ),
)
