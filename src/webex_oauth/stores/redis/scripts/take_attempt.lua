-- Give an attempt as it was, and take it when it was open and this is its browser.

local attempt = row('attempt', given.name)
local kept_until, state, browser_digest = unpack(redis.call(
  'HMGET', attempt, 'kept_until', 'state', 'browser_digest'))
if not kept_until or number(kept_until) <= tonumber(given.now) then
  return {}
end

local held = read('attempt', {given.name})
if state == 'open' and browser_digest == given.browser_digest then
  redis.call('HSET', attempt, 'state', 'taken', 'kept_until', given.kept_until)
  redis.call('ZADD', index('attempts:over'), given.kept_until, given.name)
end
return held
