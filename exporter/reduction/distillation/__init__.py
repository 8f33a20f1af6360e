"""Distillation: a student learns from what a teacher of the same tokenizer says."""
