"""Find it here, not after the push: the rules of the contract, and the evidence that they look at."""
