-- Delete a grant with all its sessions, and queue its tokens for revocation.

for _, name in ipairs(redis.call('ZRANGE', index('sessions:of:' .. given.key), 0, -1)) do
  drop_session(name)
end
return end_grant(given.key, given.now)
