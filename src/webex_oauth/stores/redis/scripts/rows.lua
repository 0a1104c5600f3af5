-- How rows, and the indexes that find them, are written and dropped; stands before every script.
--
-- A row is a hash. Indexes are sorted sets of names: one of each kind in the order of the names,
-- the others in the order of an instant. What a row does not have is None.
--
-- A server whose memory is full refuses a step at its first write, or not at all: so whatever adds
-- a row begins with HSET, and whatever ends one begins with DEL.

local prefix = KEYS[1]
local given = {}

for at = 1, #ARGV, 2 do
  local row, field = string.match(ARGV[at], '^(%l+)%.(.+)$')
  if row then
    given[row] = given[row] or {}
    given[row][field] = ARGV[at + 1]
  else
    given[ARGV[at]] = ARGV[at + 1]
  end
end

-- A value that is no number, because something else wrote it, is nothing: reading the row tells.
local function number(value)
  return tonumber(value) or 0
end

local function row(kind, name)
  return prefix .. kind .. ':' .. name
end

local function index(name)
  return prefix .. name
end

local function write(key, fields)
  local flat = {}
  for field, value in pairs(fields) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  redis.call('HSET', key, unpack(flat))
end

local function place(set, name, at)
  if at then
    redis.call('ZADD', set, at, name)
  else
    redis.call('ZREM', set, name)
  end
end

local function names_until(set, instant, limit)
  return redis.call('ZRANGEBYSCORE', set, '-inf', instant, 'LIMIT', 0, limit)
end

local function read(kind, names)
  local columns, rows = {}, {}
  for column in string.gmatch(given.columns, '%S+') do
    columns[#columns + 1] = column
  end
  for _, name in ipairs(names) do
    -- An index may name what is not there.
    if redis.call('EXISTS', row(kind, name)) == 1 then
      rows[#rows + 1] = {name, redis.call('HMGET', row(kind, name), unpack(columns))}
    end
  end
  return rows
end

-- attempts

local function drop_attempt(name)
  redis.call('DEL', row('attempt', name))
  redis.call('ZREM', index('attempts'), name)
  redis.call('ZREM', index('attempts:over'), name)
end

local function finish_attempt(name, session_digest)
  local attempt = row('attempt', name)
  if redis.call('HGET', attempt, 'state') ~= 'taken' then
    return
  end
  redis.call('HSET', attempt, 'state', 'finished')
  if session_digest then
    redis.call('HSET', attempt, 'session_digest', session_digest)
  end
end

-- grants

local GRANT_OPTIONAL = {'access_expires_at', 'ends_at', 'keep_at', 'lease_owner'}

-- The keeper finds a grant from when it is due and nobody else is at it or waits; the sweep finds
-- one from its end, once it has no session.
local function index_grant(name)
  local keep_at, ends_at, lease_until, retry_at = unpack(redis.call(
    'HMGET', row('grant', name), 'keep_at', 'ends_at', 'lease_until', 'retry_at'))
  local has_session = redis.call('EXISTS', index('sessions:of:' .. name)) == 1
  place(index('grants:keep'), name, keep_at and math.max(
    number(keep_at), number(lease_until), number(retry_at)))
  place(index('grants:over'), name, not has_session and tonumber(ends_at))
end

local function write_grant(name, fields)
  local grant = row('grant', name)
  write(grant, fields)
  for _, field in ipairs(GRANT_OPTIONAL) do
    if not fields[field] then
      redis.call('HDEL', grant, field)
    end
  end
  redis.call('ZADD', index('grants'), 0, name)
  index_grant(name)
end

local function drop_grant(name)
  redis.call('DEL', row('grant', name))
  redis.call('ZREM', index('grants'), name)
  redis.call('ZREM', index('grants:keep'), name)
  redis.call('ZREM', index('grants:over'), name)
end

-- revocations

local function add_revocation(name, fields)
  local revocation = row('revocation', name)
  if redis.call('EXISTS', revocation) == 1 then
    return
  end
  write(revocation, fields)
  redis.call('ZADD', index('revocations'), 0, name)
  redis.call('ZADD', index('revocations:due'), fields.due_at, name)
  place(index('revocations:over'), name, fields.ends_at)
end

local function drop_revocation(name)
  redis.call('DEL', row('revocation', name))
  redis.call('ZREM', index('revocations'), name)
  redis.call('ZREM', index('revocations:due'), name)
  redis.call('ZREM', index('revocations:over'), name)
end

local function end_grant(name, now)
  local version, sealed, ends_at = unpack(redis.call(
    'HMGET', row('grant', name), 'version', 'sealed', 'ends_at'))
  if not version then
    return false
  end
  drop_grant(name)
  add_revocation(name .. version, {
    sealed = sealed or '', ends_at = tonumber(ends_at), due_at = now, try_count = 0})
  return {version, sealed, ends_at}
end

-- sessions

local function add_session(name, fields)
  write(row('session', name), fields)
  redis.call('ZADD', index('sessions'), 0, name)
  redis.call('ZADD', index('sessions:over'), fields.expires_at, name)
  redis.call('ZADD', index('sessions:seen'), fields.seen_at, name)
  redis.call('ZADD', index('sessions:of:' .. fields.grant_key), fields.seen_at, name)
  index_grant(fields.grant_key)
end

local function drop_session(name)
  local session = row('session', name)
  local grant_key = redis.call('HGET', session, 'grant_key')
  redis.call('DEL', session)
  redis.call('ZREM', index('sessions'), name)
  redis.call('ZREM', index('sessions:over'), name)
  redis.call('ZREM', index('sessions:seen'), name)
  if not grant_key then
    return false
  end
  redis.call('ZREM', index('sessions:of:' .. grant_key), name)
  index_grant(grant_key)
  return grant_key
end

local function has_live_session(grant_key, now, idle_seconds)
  local seen = redis.call(
    'ZREVRANGEBYSCORE', index('sessions:of:' .. grant_key), '+inf', '(' .. now - idle_seconds)
  for _, name in ipairs(seen) do
    if number(redis.call('HGET', row('session', name), 'expires_at')) > tonumber(now) then
      return true
    end
  end
  return false
end

local function end_session(name, now, idle_seconds, keeps_grants)
  local grant_key = drop_session(name)
  if not grant_key then
    return false
  end
  if keeps_grants or has_live_session(grant_key, now, idle_seconds) then
    return {grant_key, false}
  end
  return {grant_key, end_grant(grant_key, now)}
end

