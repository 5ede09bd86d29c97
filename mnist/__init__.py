"""MNIST: handwritten digits, the smallest complete Tensorleap integration of this repository."""
