"""The photographs of CIFAR-10."""
