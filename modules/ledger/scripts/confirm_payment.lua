-- Books a payment whose transaction is final: pending -> paid, with the rows the old pool shows.
-- KEYS 1 lease, 2 miner, 3 finances, 4 payments:pending, 5 payments:lock, 6 payment, 7 open,
--      8 open by login, 9 closed, 10 payments:all, 11 payments:login,
--      12 the pool's accounts
-- ARGV 1 token, 2 id, 3 login, 4 amount (Shannon), 5 now (s), 6 `login:amount`, 7 hash,
--      8 `hash:login:amount`, 9 `hash:amount`, 10 gas spent (Shannon), 11 and its rest (wei), 12 and 13 the
--      same of the miner's share of it
-- Reply: ok | again.

for _, i in ipairs({ 2, 3, 6, 8 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
for _, i in ipairs({ 4, 7, 9, 10, 11 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
if not holds(KEYS[12], "hash") then return refuse(KEYS[12] .. " is no hash") end
for n, field in ipairs({ "gasShannon", "gasWeiRest", "gasShareShannon", "gasShareWeiRest" }) do
  if not isAmount(ARGV[9 + n]) then return refuse("bad gas") end
  if not countable(KEYS[12], field) then return refuse(KEYS[12] .. " is no account") end
end
if not holds(KEYS[5], "string") then return refuse(KEYS[5] .. " is no string") end
if not string.match(ARGV[5], "^%d+$") then return refuse("bad time") end

local known = redis.call("HMGET", KEYS[6], "id", "state", "login", "amountShannon", "hashes",
  "paidHash", "number")
if known[1] ~= ARGV[2] or known[3] ~= ARGV[3] or known[4] ~= ARGV[4] then
  return refuse("payment " .. ARGV[2] .. " is another one")
end
if known[2] == "confirmed" then
  if known[6] == ARGV[7] then return "again" end
  return refuse("payment " .. ARGV[2] .. " is confirmed by another transaction")
end
if known[2] ~= "signed" and known[2] ~= "sent" then
  return refuse("payment " .. ARGV[2] .. " is " .. tostring(known[2]))
end
if not string.find("," .. (known[5] or "") .. ",", "," .. ARGV[7] .. ",", 1, true) then
  return refuse("transaction " .. ARGV[7] .. " is not of payment " .. ARGV[2])
end
if not string.match(known[7] or "", "^%d+$") then
  return refuse("payment " .. ARGV[2] .. " has no number")
end
for _, i in ipairs({ 2, 3 }) do
  if not countable(KEYS[i], "pending") or not countable(KEYS[i], "paid") then
    return refuse(KEYS[i] .. " is no account")
  end
end

for _, i in ipairs({ 2, 3 }) do
  redis.call("HINCRBY", KEYS[i], "pending", "-" .. ARGV[4])
  redis.call("HINCRBY", KEYS[i], "paid", ARGV[4])
end
for n, field in ipairs({ "gasShannon", "gasWeiRest", "gasShareShannon", "gasShareWeiRest" }) do
  redis.call("HINCRBY", KEYS[12], field, ARGV[9 + n])
end
redis.call("ZADD", KEYS[10], ARGV[5], ARGV[8])
redis.call("ZADD", KEYS[11], ARGV[5], ARGV[9])
redis.call("ZREM", KEYS[4], ARGV[6])
redis.call("ZREM", KEYS[7], ARGV[2])
redis.call("HDEL", KEYS[8], ARGV[3])
redis.call("ZADD", KEYS[9], known[7], ARGV[2])
redis.call("HSET", KEYS[6], "state", "confirmed", "paidHash", ARGV[7], "closedAt", ARGV[5])
-- The lock stands as long as any payment is open, and names one that is.
local other = redis.call("ZRANGE", KEYS[4], 0, 0)[1]
if other then redis.call("SET", KEYS[5], other) else redis.call("DEL", KEYS[5]) end
return "ok"
