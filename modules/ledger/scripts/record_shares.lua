-- Credits one batch of shares: duplicate check, credit and the reply that a repeated call gets.
-- KEYS 1 pow, 2 roundCurrent, 3 stats, 4 batch, 5 chain, 6 bucket, 7... one miner key per login
-- ARGV 1 reply's life (s), 2 rows to trim, 3 bucket's life (s), 4 now (s), 5 heights accepted,
--      then per share: index of its miner key, height, pow member, login, login:worker, difficulty
-- Reply: one character per share: 1 credited, 2 duplicate, 3 stale.
-- Only heights are compared as numbers.

local stored = redis.call("GET", KEYS[4])
if stored then return stored end

if not holds(KEYS[1], "zset") then return refuse("pow is no sorted set") end
for _, i in ipairs({ 2, 3, 5, 6 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
for i = 7, #KEYS do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
if not countable(KEYS[3], "roundShares") then return refuse("stats roundShares is no counter") end
local highest = tonumber(redis.call("HGET", KEYS[5], "height") or "0")
if not highest then return refuse("chain height is no number") end
local known = highest

local first = 6
local count = (#ARGV - first + 1) / 6
for n = 0, count - 1 do
  local at = first + n * 6
  local height = tonumber(ARGV[at + 1])
  if not height or height < 0 or height > 9007199254740991 then return refuse("bad height") end
  if not string.match(ARGV[at + 5], "^[1-9]%d*$") or #ARGV[at + 5] > 15 then
    return refuse("bad difficulty")
  end
  if not KEYS[tonumber(ARGV[at])] then return refuse("bad miner index") end
  if not countable(KEYS[2], ARGV[at + 3]) then return refuse("round share is no counter") end
  if not countable(KEYS[6], ARGV[at + 4]) then return refuse("hashrate bucket is no counter") end
  if height > highest then highest = height end
end

local fates = {}
local now = ARGV[4]
local newBucket = redis.call("EXISTS", KEYS[6]) == 0
local seenMiners = {}
for n = 0, count - 1 do
  local at = first + n * 6
  local minerKey, height, member = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
  local login, worker, difficulty = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  if tonumber(height) + tonumber(ARGV[5]) <= highest then
    fates[#fates + 1] = "3"
  elseif redis.call("ZADD", KEYS[1], "NX", height, member) == 0 then
    fates[#fates + 1] = "2"
  else
    redis.call("HINCRBY", KEYS[2], login, difficulty)
    redis.call("HINCRBY", KEYS[3], "roundShares", difficulty)
    redis.call("HINCRBY", KEYS[6], worker, difficulty)
    redis.call("HSET", KEYS[6], worker .. ":t", now)
    if not seenMiners[minerKey] then
      redis.call("HSET", minerKey, "lastShare", now)
      seenMiners[minerKey] = true
    end
    fates[#fates + 1] = "1"
  end
end

if newBucket then redis.call("EXPIRE", KEYS[6], ARGV[3]) end
if highest > known then redis.call("HSET", KEYS[5], "height", string.format("%.0f", highest)) end
-- Eight heights stay; trimming is bounded because a whole block's rows at once stall Redis.
local old = redis.call("ZRANGE", KEYS[1], "-inf", string.format("%.0f", highest - 8), "BYSCORE",
  "LIMIT", 0, ARGV[2])
if #old > 0 then redis.call("ZREM", KEYS[1], unpack(old)) end
local reply = table.concat(fates)
redis.call("SET", KEYS[4], reply, "EX", ARGV[1])
return reply
