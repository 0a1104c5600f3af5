-- Mark a taken attempt as finished without a session.

finish_attempt(given.name, nil)
return 1
