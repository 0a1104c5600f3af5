"""The people and rooms of the local Webex."""
