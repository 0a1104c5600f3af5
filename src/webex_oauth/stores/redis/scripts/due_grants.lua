-- Find grants to renew that nobody is at.

return read('grant', names_until(index('grants:keep'), given.now, given.limit))
