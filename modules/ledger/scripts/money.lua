-- The fence of every script that moves money: only the holder of the lease gets past it.
-- KEYS 1 lease   ARGV 1 fencing token
if not holds(KEYS[1], "hash") then return refuse("lease is no hash") end
if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then
  return redis.error_reply("FENCED another process holds the lease")
end

-- Takes a miner's immature credit back from its account and the finances, once: the credit's own
-- row goes with it.
local function takeBack(minerKey, financesKey, creditsKey, login, amount)
  -- The old pool wrote credits of zero, for its fee address without a fee.
  if amount ~= "0" then
    redis.call("HINCRBY", minerKey, "immature", "-" .. amount)
    redis.call("HINCRBY", financesKey, "immature", "-" .. amount)
  end
  redis.call("HDEL", creditsKey, login)
end
