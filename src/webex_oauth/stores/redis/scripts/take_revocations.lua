-- Take what is due, the longest due first, and nobody else gets it for a while.

local names = names_until(index('revocations:due'), given.now, given.limit)
for _, name in ipairs(names) do
  local revocation = row('revocation', name)
  redis.call('HSET', revocation, 'due_at', given['until'])
  local try_count = number(redis.call('HGET', revocation, 'try_count'))
  redis.call('HSET', revocation, 'try_count', try_count + 1)
  redis.call('ZADD', index('revocations:due'), given['until'], name)
end
return read('revocation', names)
