"""The application that people see."""
