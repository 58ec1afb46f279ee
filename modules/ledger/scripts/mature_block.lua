-- Turns a block's immature credits into balance, in chunks; the last one moves it to matured.
-- KEYS 1 lease, 2 transition, 3 immature, 4 matured, 5 credits:immature as it was credited,
--      6 credits, 7 credits:all, 8 finances, 9 block accounts, 10 pool accounts, 11 scratch,
--      12 round, 13... miners
-- ARGV 1 token, 2 plan, 3 last (1/0), 4 immature member, 5 matured member, 6 height,
--      7 credits:all member, 8 hash, 9 mined (Shannon), 10 account field before, 11 and now,
--      12 account (JSON), 13 sum of this chunk, 14 sum of all, 15 credits in all,
--      16 number of pool accounts, then per account: field, change;
--      then per miner: login, amount (Shannon; 0 takes the immature credit back and gives nothing)
-- Reply: 1 moved, 0 chunk credited, 2 moved before.
for _, i in ipairs({ 3, 4, 7 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
for _, i in ipairs({ 2, 5, 6, 8, 9, 10, 11, 12 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
if not redis.call("ZSCORE", KEYS[3], ARGV[4]) then
  if redis.call("ZSCORE", KEYS[4], ARGV[5]) then return 2 end
  return refuse("immature block is gone: " .. ARGV[4])
end
local plan = redis.call("HGET", KEYS[2], "plan")
if plan and plan ~= ARGV[2] then return refuse("another plan has begun for " .. ARGV[4]) end
for _, i in ipairs({ 9, 13, 14 }) do
  if not isAmount(ARGV[i]) then return refuse("bad sum of credits") end
end
for _, field in ipairs({ "immature", "balance", "totalMined" }) do
  if not countable(KEYS[8], field) then return refuse("finances " .. field .. " is no counter") end
end
local accounts = tonumber(ARGV[16])
for n = 0, accounts - 1 do
  local field, change = ARGV[17 + n * 2], ARGV[18 + n * 2]
  if not isCounter(change) or not countable(KEYS[10], field) then
    return refuse("pool account " .. field .. " is no counter")
  end
end

local before = redis.call("HGET", KEYS[2], "sum") or "0"
if not isAmount(before) then return refuse("sum of the transition is no amount") end
redis.call("DEL", KEYS[11])
redis.call("HSET", KEYS[11], "chunk", "0", "all", before)
local last = ARGV[3] == "1"
local first, fresh, freshCount, takes, takeCount = 17 + accounts * 2, {}, 0, {}, 0
local count = (#ARGV - first + 1) / 2
local bad
for n = 0, count - 1 do
  local miner, login, amount = KEYS[13 + n], ARGV[first + n * 2], ARGV[first + n * 2 + 1]
  if not holds(miner, "hash") then bad = miner .. " is no hash" break end
  if not isAmount(amount) then bad = "bad amount for " .. login break end
  if not countable(miner, "immature") or not countable(miner, "balance") then
    bad = miner .. " is no counter"
    break
  end
  redis.call("HINCRBY", KEYS[11], "chunk", amount)
  local taken = redis.call("HGET", KEYS[5], login)
  if taken then
    if not isAmount(taken) then bad = "bad immature credit of " .. login break end
    takes[n], takeCount = taken, takeCount + 1
  end
  local credited = redis.call("HGET", KEYS[6], login)
  if credited and credited ~= amount then
    bad = login .. " is credited with another amount"
    break
  end
  if not credited and amount ~= "0" then
    fresh[n], freshCount = amount, freshCount + 1
    redis.call("HINCRBY", KEYS[11], "all", amount)
  end
end
local chunk, all = unpack(redis.call("HMGET", KEYS[11], "chunk", "all"))
redis.call("DEL", KEYS[11])
if bad then return refuse(bad) end
if chunk ~= ARGV[13] then return refuse("credits of the chunk sum to " .. chunk) end
if last and all ~= ARGV[14] then return refuse("credits sum to " .. all) end
if last and redis.call("HLEN", KEYS[6]) + freshCount ~= tonumber(ARGV[15]) then
  return refuse("number of credits differs")
end
if last and redis.call("HLEN", KEYS[5]) ~= takeCount then
  return refuse("immature credits are left over")
end

for n = 0, count - 1 do
  local login = ARGV[first + n * 2]
  if takes[n] then takeBack(KEYS[13 + n], KEYS[8], KEYS[5], login, takes[n]) end
  if fresh[n] then
    redis.call("HSETNX", KEYS[6], login, fresh[n])
    redis.call("HINCRBY", KEYS[13 + n], "balance", fresh[n])
    redis.call("HINCRBY", KEYS[8], "balance", fresh[n])
  end
end
if not last then
  redis.call("HSET", KEYS[2], "plan", ARGV[2], "sum", all)
  return 0
end
for n = 0, accounts - 1 do
  redis.call("HINCRBY", KEYS[10], ARGV[17 + n * 2], ARGV[18 + n * 2])
end
redis.call("DEL", KEYS[12])
redis.call("ZREM", KEYS[3], ARGV[4])
redis.call("ZADD", KEYS[4], ARGV[6], ARGV[5])
redis.call("ZADD", KEYS[7], ARGV[6], ARGV[7])
redis.call("HSET", KEYS[8], "lastCreditHeight", ARGV[6], "lastCreditHash", ARGV[8])
redis.call("HINCRBY", KEYS[8], "totalMined", ARGV[9])
redis.call("HDEL", KEYS[9], ARGV[10])
redis.call("HSET", KEYS[9], ARGV[11], ARGV[12])
redis.call("DEL", KEYS[2])
return 1
