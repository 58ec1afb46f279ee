-- Settles a payment that the old pool left pending: it was paid, or its debit returns. Once: the row
-- goes. Payments of quarry's own are never touched.
-- KEYS 1 miner, 2 finances, 3 payments:pending, 4 payments:lock, 5 open by login, 6 payments:all,
--      7 payments of the miner
-- ARGV 1 login, 2 amount (Shannon), 3 `login:amount`, 4 paid | return, 5 hash ("" for none), 6 now (s)
-- Reply: ok | gone | unlocked (a lock without a row: nothing was debited).

for _, i in ipairs({ 1, 2, 5 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
for _, i in ipairs({ 3, 6, 7 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
if not holds(KEYS[4], "string") then return refuse(KEYS[4] .. " is no string") end
if not isAmount(ARGV[2]) then return refuse("bad amount") end
if ARGV[4] ~= "paid" and ARGV[4] ~= "return" then return refuse("bad outcome") end
if redis.call("HEXISTS", KEYS[5], ARGV[1]) == 1 then
  return refuse(ARGV[1] .. " has an open payment of quarry's")
end

local locked = redis.call("GET", KEYS[4]) == ARGV[3]
if not redis.call("ZSCORE", KEYS[3], ARGV[3]) then
  if not locked then return "gone" end
  if ARGV[4] == "paid" then return refuse(ARGV[3] .. " was never debited, yet it was paid") end
  redis.call("DEL", KEYS[4])
  return "unlocked"
end
local to = ARGV[4] == "paid" and "paid" or "balance"
for _, i in ipairs({ 1, 2 }) do
  if not countable(KEYS[i], "pending") or not countable(KEYS[i], to) then
    return refuse(KEYS[i] .. " is no account")
  end
end

for _, i in ipairs({ 1, 2 }) do
  redis.call("HINCRBY", KEYS[i], "pending", "-" .. ARGV[2])
  redis.call("HINCRBY", KEYS[i], to, ARGV[2])
end
if to == "paid" then
  redis.call("ZADD", KEYS[6], ARGV[6], ARGV[5] .. ":" .. ARGV[1] .. ":" .. ARGV[2])
  redis.call("ZADD", KEYS[7], ARGV[6], ARGV[5] .. ":" .. ARGV[2])
end
redis.call("ZREM", KEYS[3], ARGV[3])
if locked then redis.call("DEL", KEYS[4]) end
return "ok"
