"""What happens by itself around an appointment: reminders, follow-ups for HR, the end of the window."""
