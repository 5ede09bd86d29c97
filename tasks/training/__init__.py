"""What every train.py needs: a history that leaplab can draw, and a model file in both formats. Imports Keras."""
