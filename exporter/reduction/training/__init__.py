"""Training of causal language models with plain PyTorch, run on one CPU process so far."""
