-- List the rows of one kind that an index names, each as its name and fields.
--
-- Arguments: kind, index, the command that reads the index, its two ends, and how many rows to find.
-- A name whose row is gone is removed from the index. A row whose name or revision cannot be is listed
-- beyond the limit, so that such rows never hide the others; READ_AHEAD bounds how many names are
-- looked at.

local READ_AHEAD = 1000
local MAX_DIGITS, MAX_NAME_BYTES = 19, 64

local kind, index, command, first, last, limit = unpack(ARGV)
local prefix, set = KEYS[1] .. kind .. ':', KEYS[1] .. kind .. '-' .. index
limit = tonumber(limit)

local rows, sound_count, kept_count = {}, 0, 0

local function is_rev(text)
  local digits = text and string.match(text, '^%-?([1-9]%d*)$')
  return digits and #digits <= MAX_DIGITS
end

local function look_at(name)
  local fields = redis.pcall('HMGET', prefix .. name, 'rev', 'body', 'group', 'at', 'over')
  if fields.err then
    fields = {false, false, false, false, false}
  elseif not (fields[1] or fields[2]) and redis.pcall('ZREM', set, name) == 1 then
    return
  end
  kept_count = kept_count + 1
  rows[#rows + 1] = {name, unpack(fields)}
  if is_rev(fields[1]) and #name <= MAX_NAME_BYTES then
    sound_count = sound_count + 1
  end
end

local seen_count = 0
while sound_count < limit and seen_count < limit + READ_AHEAD do
  local names = redis.call(command, set, first, last, 'LIMIT', kept_count, limit - sound_count)
  for _, name in ipairs(names) do
    look_at(name)
  end
  seen_count = seen_count + #names
  if #names == 0 then
    break
  end
end
return rows
