"""On PYTHONPATH it stands for a machine without Keras, as the platform's is: no bundle asks for it."""

raise ModuleNotFoundError("No module named 'keras'", name="keras")
