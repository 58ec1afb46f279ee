-- Credits a candidate that the chain confirms, in chunks; the last one moves it to immature.
-- KEYS 1 lease, 2 transition, 3 candidates, 4 immature, 5 credits:immature, 6 finances,
--      7 block accounts, 8 scratch, 9 round as recorded, 10 round at the true height,
--      11 round schemes, 12... miners
-- ARGV 1 token, 2 plan, 3 last (1/0), 4 candidate member, 5 immature member, 6 true height,
--      7 account field, 8 account (JSON), 9 sum of this chunk, 10 sum of all, 11 credits in all,
--      12 field of the round's scheme as recorded, 13 and at the block's own height,
--      then per miner: login, amount (Shannon)
-- Reply: 1 moved, 0 chunk credited, 2 moved before.
for _, i in ipairs({ 3, 4 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
for _, i in ipairs({ 2, 5, 6, 7, 8, 9, 10, 11 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
if not redis.call("ZSCORE", KEYS[3], ARGV[4]) then
  if redis.call("ZSCORE", KEYS[4], ARGV[5]) then return 2 end
  return refuse("candidate is gone: " .. ARGV[4])
end
local plan = redis.call("HGET", KEYS[2], "plan")
if plan and plan ~= ARGV[2] then return refuse("another plan has begun for " .. ARGV[4]) end
if not isAmount(ARGV[9]) or not isAmount(ARGV[10]) then return refuse("bad sum of credits") end
if not countable(KEYS[6], "immature") then return refuse("finances immature is no counter") end
local last = ARGV[3] == "1"
if last and KEYS[9] ~= KEYS[10] then
  if redis.call("EXISTS", KEYS[9]) == 0 then return refuse(KEYS[9] .. " is missing") end
  -- RENAME would wipe the shares of another round.
  if redis.call("EXISTS", KEYS[10]) == 1 then return refuse(KEYS[10] .. " exists") end
end

local before = redis.call("HGET", KEYS[2], "sum") or "0"
if not isAmount(before) then return refuse("sum of the transition is no amount") end
redis.call("DEL", KEYS[8])
redis.call("HSET", KEYS[8], "chunk", "0", "all", before)
local first, fresh, freshCount = 14, {}, 0
local count = (#ARGV - first + 1) / 2
local bad
for n = 0, count - 1 do
  local miner, login, amount = KEYS[12 + n], ARGV[first + n * 2], ARGV[first + n * 2 + 1]
  if not holds(miner, "hash") then bad = miner .. " is no hash" break end
  if not isAmount(amount) then bad = "bad amount for " .. login break end
  if not countable(miner, "immature") then bad = miner .. " immature is no counter" break end
  redis.call("HINCRBY", KEYS[8], "chunk", amount)
  local credited = redis.call("HGET", KEYS[5], login)
  if not credited then
    fresh[n], freshCount = true, freshCount + 1
    redis.call("HINCRBY", KEYS[8], "all", amount)
  elseif credited ~= amount then
    bad = login .. " is credited with another amount"
    break
  end
end
local chunk, all = unpack(redis.call("HMGET", KEYS[8], "chunk", "all"))
redis.call("DEL", KEYS[8])
if bad then return refuse(bad) end
if chunk ~= ARGV[9] then return refuse("credits of the chunk sum to " .. chunk) end
if last and all ~= ARGV[10] then return refuse("credits sum to " .. all) end
if last and redis.call("HLEN", KEYS[5]) + freshCount ~= tonumber(ARGV[11]) then
  return refuse("number of credits differs")
end

for n = 0, count - 1 do
  if fresh[n] then
    local login, amount = ARGV[first + n * 2], ARGV[first + n * 2 + 1]
    redis.call("HSETNX", KEYS[5], login, amount)
    redis.call("HINCRBY", KEYS[12 + n], "immature", amount)
    redis.call("HINCRBY", KEYS[6], "immature", amount)
  end
end
if not last then
  redis.call("HSET", KEYS[2], "plan", ARGV[2], "sum", all)
  return 0
end
if KEYS[9] ~= KEYS[10] then redis.call("RENAME", KEYS[9], KEYS[10]) end
local scheme = ARGV[12] ~= ARGV[13] and redis.call("HGET", KEYS[11], ARGV[12])
if scheme then
  redis.call("HSET", KEYS[11], ARGV[13], scheme)
  redis.call("HDEL", KEYS[11], ARGV[12])
end
redis.call("ZREM", KEYS[3], ARGV[4])
redis.call("ZADD", KEYS[4], ARGV[6], ARGV[5])
redis.call("HSET", KEYS[7], ARGV[7], ARGV[8])
redis.call("DEL", KEYS[2])
return 1
