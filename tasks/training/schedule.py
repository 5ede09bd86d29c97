"""The learning rate over a training."""

import keras

from tasks.settings import Recipe


def warmup_and_cosine(recipe: Recipe, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """From 0 up to the recipe's peak, then down on a cosine: Loshchilov and Hutter, "SGDR", 2017, without restarts.

    Args:
        steps: batches an epoch.
    """
    warmup = recipe.warmup_epochs * steps
    falling = (recipe.epochs + recipe.cosine_overrun) * steps - warmup
    return keras.optimizers.schedules.CosineDecay(0.0, falling, warmup_target=recipe.learning_rate, warmup_steps=warmup)
