"""The integration's side: all that runs in the integration's own process and interpreter.

Python 3.8 to 3.13, numpy 1.22 and newer, the standard library, and what the integration itself brings: code-loader, and
onnxruntime or Keras. Nothing of what leaplab depends on.
"""
