"""CIFAR-10 with ResNet-18: small colour photographs of ten classes."""
