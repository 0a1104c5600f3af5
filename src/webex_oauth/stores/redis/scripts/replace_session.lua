-- Put a session in the place of another, also for the attempt that brought it.

if redis.call('EXISTS', row('session', given.digest)) == 1 then
  return 'taken'
end
if redis.call('EXISTS', row('session', given.old_digest)) == 0 then
  return 'gone'
end
add_session(given.digest, given.session)
drop_session(given.old_digest)

local attempt = row('attempt', given.state_digest)
if redis.call('HGET', attempt, 'session_digest') == given.old_digest then
  redis.call('HSET', attempt, 'session_digest', given.digest)
end
return 'replaced'
