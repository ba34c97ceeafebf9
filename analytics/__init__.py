"""What the records say: figures, and who may need help."""
