-- Write a grant over the version that was expected: 0 when it moved or went.

if redis.call('HGET', row('grant', given.key), 'version') ~= given.expected_version then
  return 0
end
write_grant(given.key, given.grant)
return 1
