-- Remove a batch of each kind of what is over; say how many rows went.

local removed_count = 0

local function sweep(set, instant, drop)
  local names = names_until(index(set), instant, given.batch)
  for _, name in ipairs(names) do
    drop(name)
  end
  removed_count = removed_count + #names
end

sweep('attempts:over', given.now, drop_attempt)
sweep('sessions:over', given.now, drop_session)
sweep('sessions:seen', given.now - given.idle_seconds, drop_session)
sweep('revocations:over', given.now, drop_revocation)
sweep('grants:over', given.now, drop_grant)
return removed_count
