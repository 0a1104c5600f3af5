-- Move seen_at forward, never back.

local session = row('session', given.digest)
local grant_key, seen_at = unpack(redis.call('HMGET', session, 'grant_key', 'seen_at'))
if not seen_at or number(seen_at) >= tonumber(given.seen_at) then
  return 0
end
redis.call('HSET', session, 'seen_at', given.seen_at)
redis.call('ZADD', index('sessions:seen'), given.seen_at, given.digest)
redis.call('ZADD', index('sessions:of:' .. grant_key), given.seen_at, given.digest)
return 1
