-- Move the instant when a revocation is due.

local revocation = row('revocation', given.name)
if redis.call('EXISTS', revocation) == 0 then
  return 0
end
redis.call('HSET', revocation, 'due_at', given.due_at)
redis.call('ZADD', index('revocations:due'), given.due_at, given.name)
return 1
