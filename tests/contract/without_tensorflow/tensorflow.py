"""On PYTHONPATH it stands for a machine without TensorFlow, as the platform's is: no bundle asks for it."""

raise ModuleNotFoundError("No module named 'tensorflow'", name="tensorflow")
