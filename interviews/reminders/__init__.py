"""What happens by itself around an appointment: reminders, follow-ups, the end of its window."""
