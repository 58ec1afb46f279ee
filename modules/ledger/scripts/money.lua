-- The fence of every script that moves money: only the holder of the lease gets past it.
-- KEYS 1 lease   ARGV 1 fencing token
if not holds(KEYS[1], "hash") then return refuse("lease is no hash") end
if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then
  return redis.error_reply("FENCED another process holds the lease")
end
