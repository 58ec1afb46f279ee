-- Returns the debit of a payment that provably did not happen: pending -> balance.
-- KEYS 1 lease, 2 miner, 3 finances, 4 payments:pending, 5 payments:lock, 6 payment, 7 open,
--      8 open by login, 9 closed, 10 held, 11 spent, 12 the pool's accounts, 13 the miner's failed
-- ARGV 1 token, 2 id, 3 login, 4 amount (Shannon), 5 now (s), 6 `login:amount`,
--      7 reverted | displaced, 8 reason, 9 "1" to hold the miner for a human, 10 gas spent
--      (Shannon), 11 and its rest (wei)
-- Reply: ok | again.

for _, i in ipairs({ 2, 3, 6, 8, 12 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
for _, i in ipairs({ 4, 7, 9, 11, 13 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
if not holds(KEYS[5], "string") then return refuse(KEYS[5] .. " is no string") end
if not holds(KEYS[10], "set") then return refuse(KEYS[10] .. " is no set") end
for n, field in ipairs({ "gasShannon", "gasWeiRest" }) do
  if not isAmount(ARGV[9 + n]) then return refuse("bad gas") end
  if not countable(KEYS[12], field) then return refuse(KEYS[12] .. " is no account") end
end
if ARGV[7] ~= "reverted" and ARGV[7] ~= "displaced" then return refuse("bad state") end

local known = redis.call("HMGET", KEYS[6], "id", "state", "login", "amountShannon", "number")
if known[1] ~= ARGV[2] or known[3] ~= ARGV[3] or known[4] ~= ARGV[4] then
  return refuse("payment " .. ARGV[2] .. " is another one")
end
if known[2] == ARGV[7] then return "again" end
if known[2] ~= "reserved" and known[2] ~= "signed" and known[2] ~= "sent" then
  return refuse("payment " .. ARGV[2] .. " is " .. tostring(known[2]))
end
if not string.match(known[5] or "", "^%d+$") then
  return refuse("payment " .. ARGV[2] .. " has no number")
end
for _, i in ipairs({ 2, 3 }) do
  if not countable(KEYS[i], "pending") or not countable(KEYS[i], "balance") then
    return refuse(KEYS[i] .. " is no account")
  end
end

for _, i in ipairs({ 2, 3 }) do
  redis.call("HINCRBY", KEYS[i], "pending", "-" .. ARGV[4])
  redis.call("HINCRBY", KEYS[i], "balance", ARGV[4])
end
redis.call("HINCRBY", KEYS[12], "gasShannon", ARGV[10])
redis.call("HINCRBY", KEYS[12], "gasWeiRest", ARGV[11])
redis.call("ZREM", KEYS[11], ARGV[2] .. ":" .. ARGV[4])
redis.call("ZREM", KEYS[4], ARGV[6])
redis.call("ZREM", KEYS[7], ARGV[2])
redis.call("HDEL", KEYS[8], ARGV[3])
redis.call("ZADD", KEYS[9], known[5], ARGV[2])
-- What was never signed is tried again in each run: it would bury what failed on the chain.
if known[2] ~= "reserved" then redis.call("ZADD", KEYS[13], ARGV[5], ARGV[2]) end
if ARGV[9] == "1" then redis.call("SADD", KEYS[10], ARGV[3]) end
redis.call("HSET", KEYS[6], "state", ARGV[7], "reason", ARGV[8], "closedAt", ARGV[5])
local other = redis.call("ZRANGE", KEYS[4], 0, 0)[1]
if other then redis.call("SET", KEYS[5], other) else redis.call("DEL", KEYS[5]) end
return "ok"
