-- List rows of one kind in the order of their names.

local from = given.after == '' and '-' or '(' .. given.after
return read(given.kind, redis.call(
  'ZRANGEBYLEX', index(given.kind .. 's'), from, '+', 'LIMIT', 0, given.limit))
