-- Complete a sign-in: keep the grant, add the session, finish the attempt, all or nothing.

local version = redis.call('HGET', row('grant', given.key), 'version')
if (version or '') ~= given.expected_version then
  return {'moved'}
end
if redis.call('EXISTS', row('session', given.digest)) == 1 then
  return {'taken'}
end

write_grant(given.key, given.grant)
add_session(given.digest, given.session)
finish_attempt(given.state_digest, given.digest)
if given.earlier then
  add_revocation(given.earlier_name, given.earlier)
end
if not given.replaced_session then
  return {'kept', false}
end
return {'kept', end_session(
  given.replaced_session, given.now, given.idle_seconds, given.keeps_grants)}
