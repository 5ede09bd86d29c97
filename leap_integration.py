"""Runs the active example's integration test on the first sample of each state; code-loader prints its table."""

from code_loader.contract.enums import DataStateType

from leap_binder import integration_test, preprocess

if __name__ == "__main__":
    for response in preprocess():
        if response.state is not DataStateType.unlabeled:  # it has no ground truth, and the test asks for it
            integration_test(response.sample_ids[0], response)
