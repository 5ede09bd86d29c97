import math

import pytest

from tasks.settings import Recipe


@pytest.mark.parametrize("overrun", [0, 2])
def test_the_rate_rises_to_its_peak_and_falls_on_a_cosine(overrun: int) -> None:
    from tasks.training.schedule import warmup_and_cosine

    recipe = Recipe(
        epochs=6, warmup_epochs=2, cosine_overrun=overrun, batch_size=1, learning_rate=0.4, weight_decay=0.0
    )
    rate = warmup_and_cosine(recipe, 5)
    falling = (6 - 2 + overrun) * 5
    for step in range(6 * 5):
        share = step / 10 if step < 10 else (1 + math.cos(math.pi * (step - 10) / falling)) / 2
        assert float(rate(step)) == pytest.approx(0.4 * share, abs=1e-6)
    assert float(rate(30)) == pytest.approx(0.0 if overrun == 0 else 0.2 * (1 + math.cos(math.pi * 20 / 30)), abs=1e-6)
