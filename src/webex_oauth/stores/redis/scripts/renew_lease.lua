-- Move the end of a lease forward: 0 when version or lease is another.

local grant = row('grant', given.key)
local version, owner, lease_until = unpack(redis.call(
  'HMGET', grant, 'version', 'lease_owner', 'lease_until'))
if version ~= given.version or owner ~= given.owner then
  return 0
end
if number(lease_until) < tonumber(given['until']) then
  redis.call('HSET', grant, 'lease_until', given['until'])
  index_grant(given.key)
end
return 1
