-- Put something sealed in the place of what is expected there: 0 when it is something else by now.

local record = row(given.kind, given.name)
if redis.call('HGET', record, 'sealed') ~= given.expected then
  return 0
end
redis.call('HSET', record, 'sealed', given.sealed)
return 1
