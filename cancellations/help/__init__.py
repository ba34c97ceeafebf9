"""Help before leaving: questions and answers, the assistant, other positions, and the guide."""
