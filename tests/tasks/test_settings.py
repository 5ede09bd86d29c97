import pytest

from tasks.settings import ROOT, ExampleConfig, Recipe

RECIPE = Recipe(epochs=10, warmup_epochs=3, batch_size=8, learning_rate=0.1, weight_decay=0.0)


@pytest.mark.parametrize(("epochs", "warmup"), [(20, 3), (4, 3), (3, 2), (1, 0)])
def test_a_shorter_training_keeps_an_epoch_after_its_warm_up(epochs: int, warmup: int) -> None:
    shorter = RECIPE.lasting(epochs)
    assert (shorter.epochs, shorter.warmup_epochs) == (epochs, warmup)
    assert (shorter.batch_size, shorter.learning_rate) == (8, 0.1)


def test_a_warm_up_as_long_as_the_training_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^warmup_epochs \(4\) must be fewer than epochs \(4\)$"):
        Recipe(epochs=4, warmup_epochs=4, batch_size=8, learning_rate=0.1, weight_decay=0.0)


def test_the_model_lies_under_the_root_and_labels_differ() -> None:
    config = ExampleConfig(labels=("a", "b"), model="models/x.h5", seed=1, training=RECIPE)
    assert config.model_path == ROOT / "models" / "x.h5"
    assert (ROOT / "pyproject.toml").is_file()
    with pytest.raises(ValueError, match="labels must differ"):
        ExampleConfig(labels=("a", "a"), model="models/x.h5", seed=1, training=RECIPE)
