-- End a lease and keep what the refresh left behind: 0 when version or lease is another.

local grant = row('grant', given.key)
local version, owner = unpack(redis.call('HMGET', grant, 'version', 'lease_owner'))
if version ~= given.version or owner ~= given.owner then
  return 0
end
write(grant, given.trouble)
redis.call('HSET', grant, 'lease_until', 0)
redis.call('HDEL', grant, 'lease_owner')
index_grant(given.key)
return 1
