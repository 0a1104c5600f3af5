"""The measured comparison of this application with the samples people start from."""
