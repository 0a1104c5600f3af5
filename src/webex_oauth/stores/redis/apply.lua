-- Apply changes, or none and return 0 if a row is not at its revision.
--
-- A change is eight arguments: kind, name and the revision it is over; then rev, body, group, at and
-- over_at of the row as it is to be, where '' is none. The same revision twice only asserts it.
--
-- Redis rolls nothing back. So whatever could fail is tried first: rows and indexes of a wrong type
-- raise an error before anything is written. A server whose memory is full refuses a script at its
-- first write if that takes memory, and never later: so deletions come first, and signing out works.

local prefix, deletions, writes = KEYS[1], {}, {}

local function index(kind, name)
  local key = prefix .. kind .. '-' .. name
  redis.call('ZCARD', key)
  return key
end

for i = 1, #ARGV, 8 do
  local kind, name, over, rev, body, group, at, over_at = unpack(ARGV, i, i + 7)
  local key = prefix .. kind .. ':' .. name
  local stored_rev, stored_group = unpack(redis.call('HMGET', key, 'rev', 'group'))
  if (stored_rev or '0') ~= over then
    return 0
  end
  if rev ~= over then
    local scores = {
      [index(kind, 'names')] = rev == '0' and '' or 0,
      [index(kind, 'at')] = at,
      [index(kind, 'over')] = over_at,
    }
    if stored_group and stored_group ~= '' then
      scores[index(kind, 'group:' .. stored_group)] = ''
    end
    if group ~= '' then
      scores[index(kind, 'group:' .. group)] = at == '' and '-inf' or at
    end
    local fields = {'rev', rev, 'body', body, 'group', group, 'at', at, 'over', over_at}
    local changes = rev == '0' and deletions or writes
    changes[#changes + 1] = {key = key, name = name, fields = fields, scores = scores}
  end
end

local function place(change)
  for set, score in pairs(change.scores) do
    if score == '' then
      redis.call('ZREM', set, change.name)
    else
      redis.call('ZADD', set, score, change.name)
    end
  end
end

for _, change in ipairs(deletions) do
  redis.call('DEL', change.key)
  place(change)
end
for _, change in ipairs(writes) do
  redis.call('HSET', change.key, unpack(change.fields))
  place(change)
end
return 1
