"""What a person does: sign in, call Webex, sign out."""
