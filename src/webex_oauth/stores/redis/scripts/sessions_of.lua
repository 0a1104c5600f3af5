-- Find the sessions of a grant, the latest seen first.

return read('session', redis.call(
  'ZREVRANGE', index('sessions:of:' .. given.key), 0, given.limit - 1))
