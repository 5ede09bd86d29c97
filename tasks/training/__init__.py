"""What every train.py does alike: command line, fit, history, checkpoint, the model's files. Imports Keras."""
