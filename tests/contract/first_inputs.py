"""Run in an example's root, as binder_process.py runs Python: the first samples' input as the encoder gives it.

python first_inputs.py FILE.npy
"""

import sys
from pathlib import Path

import numpy as np
from code_loader import LeapLoader
from code_loader.contract.enums import DataStateEnum

SAMPLES = 4

if __name__ == "__main__":
    loader = LeapLoader(str(Path.cwd()), "leap_binder.py")
    loader.exec_script()
    ids = loader._preprocess_result()[DataStateEnum.validation].sample_ids
    inputs = [loader.get_sample(DataStateEnum.validation, sample_id).inputs for sample_id in ids[:SAMPLES]]
    (name,) = inputs[0]
    np.save(sys.argv[1], np.stack([of_sample[name] for of_sample in inputs]))
