"""Training of causal language models with plain PyTorch, on one device or on as many as accelerate starts."""
