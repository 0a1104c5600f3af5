-- Queue tokens for revocation, unless they are queued already.

add_revocation(given.name, given.revocation)
return 1
