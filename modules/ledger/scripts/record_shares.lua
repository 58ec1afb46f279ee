-- Credits one batch of shares: duplicate check, credit and the reply that a repeated call gets.
-- KEYS 1 pow, 2 roundCurrent, 3 stats, 4 batch, 5 chain, 6 bucket, 7 solo, 8 pplns, 9 pplns sums,
--      10... one miner key per login; slices are named after ARGV 8
-- ARGV 1 reply's life (s), 2 rows to trim, 3 bucket's life (s), 4 now (s), 5 heights accepted,
--      6 sum of the prop and pplns shares, 7 of the pplns shares, 8 prefix of the slices' keys,
--      9 window, 10 least slice, 11 slices at most, 12 fields to drop, then per share: index of its
--      miner key, height, pow member, login, login:worker, difficulty, prop | pplns | solo
-- Reply: one character per share: 1 credited, 2 duplicate, 3 stale.
-- Heights are compared as numbers; sums are the caller's, exact, and what was not credited is
-- taken from them again.

local stored = redis.call("GET", KEYS[4])
if stored then
  -- A write: WAIT speaks of what its own connection wrote, and this may be another one by now.
  redis.call("EXPIRE", KEYS[4], ARGV[1])
  return stored
end

if not holds(KEYS[1], "zset") then return refuse("pow is no sorted set") end
for i = 2, #KEYS do
  if i ~= 4 and not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
if not countable(KEYS[3], "roundShares") then return refuse("stats roundShares is no counter") end
if not isAmount(ARGV[6]) or not isAmount(ARGV[7]) then return refuse("bad sum of shares") end
local highest = tonumber(redis.call("HGET", KEYS[5], "height") or "0")
if not highest then return refuse("chain height is no number") end
local known = highest
local window, drop
if ARGV[7] ~= "0" then
  local problem
  window, problem = readWindow(KEYS[8], KEYS[9], ARGV[8])
  if not window then return refuse(problem) end
  drop, problem = planDrop(window, tonumber(ARGV[9]), tonumber(ARGV[12]), false)
  if not drop then return refuse(problem) end
end

local first = 13
local count = (#ARGV - first + 1) / 7
for n = 0, count - 1 do
  local at = first + n * 7
  local height, login, scheme = tonumber(ARGV[at + 1]), ARGV[at + 3], ARGV[at + 6]
  if not height or height < 0 or height > 9007199254740991 then return refuse("bad height") end
  if not string.match(ARGV[at + 5], "^[1-9]%d*$") or #ARGV[at + 5] > 15 then
    return refuse("bad difficulty")
  end
  if not KEYS[tonumber(ARGV[at])] then return refuse("bad miner index") end
  if scheme == "pplns" and window then
    if not countable(KEYS[9], login) or not countable(window.slice, login) then
      return refuse("window's share is no counter")
    end
  elseif scheme == "solo" then
    if not countable(KEYS[7], login) then return refuse("solo share is no counter") end
  elseif scheme ~= "prop" then
    return refuse("bad scheme")
  elseif not countable(KEYS[2], login) then
    return refuse("round share is no counter")
  end
  if not countable(KEYS[6], ARGV[at + 4]) then return refuse("hashrate bucket is no counter") end
  if height > highest then highest = height end
end

local fates, times = {}, {}
local now = ARGV[4]
local newBucket = redis.call("EXISTS", KEYS[6]) == 0
local seenMiners = {}
local credited, refused = {}, {}
if window then dropOld(window, drop) end
for n = 0, count - 1 do
  local at = first + n * 7
  local minerKey, height, member = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 2]
  local login, worker, difficulty, scheme = ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
  local fate = "1"
  if tonumber(height) + tonumber(ARGV[5]) <= highest then
    fate = "3"
  elseif redis.call("ZADD", KEYS[1], "NX", height, member) == 0 then
    fate = "2"
  else
    if scheme == "pplns" then addToWindow(window, login, difficulty)
    elseif scheme == "solo" then redis.call("HINCRBY", KEYS[7], login, difficulty)
    else redis.call("HINCRBY", KEYS[2], login, difficulty) end
    redis.call("HINCRBY", KEYS[6], worker, difficulty)
    times[#times + 1] = worker .. ":t"
    times[#times + 1] = now
    if #times >= 1000 then
      redis.call("HSET", KEYS[6], unpack(times))
      times = {}
    end
    if not seenMiners[minerKey] then
      redis.call("HSET", minerKey, "lastShare", now)
      seenMiners[minerKey] = true
    end
    credited[scheme] = true
  end
  if fate ~= "1" then refused[#refused + 1] = at end
  fates[#fates + 1] = fate
end

-- Many fields in one call, so that a share takes five writes at most.
if #times > 0 then redis.call("HSET", KEYS[6], unpack(times)) end
if credited.prop or credited.pplns then
  redis.call("HINCRBY", KEYS[3], "roundShares", ARGV[6])
  if credited.pplns then addToTotals(window, ARGV[7]) end
  for _, at in ipairs(refused) do
    local less, scheme = "-" .. ARGV[at + 5], ARGV[at + 6]
    if scheme ~= "solo" then redis.call("HINCRBY", KEYS[3], "roundShares", less) end
    if scheme == "pplns" and credited.pplns then addToTotals(window, less) end
  end
  if credited.pplns then closeSlice(window, tonumber(ARGV[10]), tonumber(ARGV[11])) end
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
