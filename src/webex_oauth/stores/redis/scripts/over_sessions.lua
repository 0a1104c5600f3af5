-- Find sessions that are past their end, or idle; one that is both comes twice.

local names = names_until(index('sessions:over'), given.now, given.limit)
for _, name in ipairs(names_until(index('sessions:seen'), given.idle_since, given.limit)) do
  names[#names + 1] = name
end
return read('session', names)
