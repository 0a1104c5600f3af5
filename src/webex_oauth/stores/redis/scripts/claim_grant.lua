-- Put the row that was seen under a lease, unless another lease lasts; give the row.

local grant = row('grant', given.key)
local version, lease_until = unpack(redis.call('HMGET', grant, 'version', 'lease_until'))
if version ~= given.version or number(lease_until) > tonumber(given.now) then
  return {}
end
for field, value in pairs(given.seen) do
  if redis.call('HGET', grant, field) ~= value then
    return {}
  end
end
redis.call('HSET', grant, 'lease_owner', given.owner, 'lease_until', given['until'])
redis.call('HINCRBY', grant, 'presented_count', 1)
index_grant(given.key)
return read('grant', {given.key})
