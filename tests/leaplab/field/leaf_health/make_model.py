from pathlib import Path

import keras
import numpy as np
from leaf_layers import GatedPool, Swish

keras.utils.set_random_seed(9)
image = keras.Input((20, 20, 3), name="leaf")
x = keras.layers.Conv2D(6, 3, strides=2, name="stem")(image)
x = Swish(name="swish")(x)
x = keras.layers.Conv2D(8, 3, name="block")(x)
x = Swish(name="swish_1")(x)
x = GatedPool(temperature=0.5, name="pool")(x)
health = keras.layers.Dense(2, activation="softmax", name="health")(x)
covered = keras.layers.Dense(1, activation="sigmoid", name="covered")(x)
model = keras.Model(image, [health, covered], name="leaf_net")
rng = np.random.default_rng(1)
for layer in model.layers:
    layer.set_weights([w + rng.normal(0, 0.3, w.shape) for w in layer.get_weights()])
folder = Path(__file__).parent / "weights"
folder.mkdir(exist_ok=True)
model.save(folder / "leaf_net.keras")
