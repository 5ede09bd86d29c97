"""Runs the active example's integration test on the first sample of each state; code-loader prints its table."""

from leap_binder import integration_test, preprocess

if __name__ == "__main__":
    for response in preprocess():
        integration_test(response.sample_ids[0], response)
