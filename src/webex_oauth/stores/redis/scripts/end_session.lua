-- Delete a session, and its grant when no other live session has it.

return end_session(given.digest, given.now, given.idle_seconds, given.keeps_grants)
