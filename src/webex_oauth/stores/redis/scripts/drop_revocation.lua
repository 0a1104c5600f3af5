-- Remove a revocation.

drop_revocation(given.name)
return 1
