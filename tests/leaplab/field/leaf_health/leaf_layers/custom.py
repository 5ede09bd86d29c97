import keras
from code_loader.inner_leap_binder.leapbinder_decorators import tensorleap_custom_layer
from keras import ops


@tensorleap_custom_layer("Swish")
@keras.saving.register_keras_serializable(package="leaf")
class Swish(keras.layers.Layer):
    """x * sigmoid(beta * x), with a beta of its own for each channel."""

    def build(self, input_shape):
        self.beta = self.add_weight(name="beta", shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs):
        return inputs * ops.sigmoid(self.beta * inputs)


@tensorleap_custom_layer("GatedPool")
@keras.saving.register_keras_serializable(package="leaf")
class GatedPool(keras.layers.Layer):
    """Mean of the feature map weighted by a learned gate, sharpened by a temperature."""

    def __init__(self, temperature=1.0, **kwargs):
        super().__init__(**kwargs)
        self.temperature = temperature

    def build(self, input_shape):
        self.gate = self.add_weight(name="gate", shape=(input_shape[-1],), initializer="ones")

    def call(self, inputs):
        _, height, width, channels = inputs.shape
        places = ops.reshape(inputs, (-1, height * width, channels))
        scores = ops.sum(places * self.gate, axis=-1, keepdims=True) / self.temperature
        return ops.sum(ops.softmax(scores, axis=1) * places, axis=1)

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}
