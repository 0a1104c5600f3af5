-- Move to now what waits for an instant that no wait reaches, a batch of each kind.

local function names_after(set)
  return redis.call(
    'ZRANGEBYSCORE', index(set), '(' .. given.latest, '+inf', 'LIMIT', 0, given.batch)
end

for _, name in ipairs(names_after('grants:keep')) do
  redis.call('HSET', row('grant', name), 'keep_at', given.now, 'retry_at', 0, 'lease_until', 0)
  index_grant(name)
end
for _, name in ipairs(names_after('revocations:due')) do
  if redis.call('EXISTS', row('revocation', name)) == 1 then
    redis.call('HSET', row('revocation', name), 'due_at', given.now)
  end
  redis.call('ZADD', index('revocations:due'), given.now, name)
end
