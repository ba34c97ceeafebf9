"""What has to be there before an application enters a stage: documents, and scores reached."""
