-- Add an attempt: 0 when its name is taken.

local attempt = row('attempt', given.name)
if redis.call('EXISTS', attempt) == 1 then
  return 0
end
write(attempt, given.attempt)

for _, name in ipairs(names_until(index('attempts:over'), given.now, given.batch)) do
  drop_attempt(name)
end
local beyond = redis.call('ZCARD', index('attempts:over')) + 1 - given.at_most
if beyond > 0 then
  for _, name in ipairs(redis.call('ZRANGE', index('attempts:over'), 0, beyond - 1)) do
    drop_attempt(name)
  end
end

redis.call('ZADD', index('attempts'), 0, given.name)
redis.call('ZADD', index('attempts:over'), given.attempt.kept_until, given.name)
return 1
