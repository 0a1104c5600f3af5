"""The pages that people see at the local Webex; each says that it is not Webex."""
