"""The built-in room: questions, a candidate's sitting, their answers, and how it ended."""
