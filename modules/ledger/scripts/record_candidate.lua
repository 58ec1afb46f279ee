-- Records a found block: its share's credit, the round that it pays and the candidate row, in one
-- step. The finder's scheme says whose round that is.
-- KEYS 1 pow, 2 roundCurrent, 3 stats, 4 batch, 5 chain, 6 bucket, 7 miner, 8 round, 9 candidates,
--      10 finders, 11 scratch, 12 submissions, 13 solo, 14 pplns, 15 pplns sums, 16 round schemes;
--      17 finds, 18 the login's finds; slices are named after ARGV 12
-- ARGV 1 reply's life (s), 2 bucket's life (s), 3 now (s), 4 height, 5 pow member, 6 login,
--      7 login:worker, 8 difficulty, 9 round difficulty, 10 `<height>:<nonce>`,
--      11 prop | pplns | solo, 12 prefix of the slices' keys, 13 window, 14 least slice,
--      15 slices at most, 16 fields to drop
-- Reply: 1 recorded, 2 duplicate, 4 the round's key exists already.
-- Other than a share, a candidate is never too old: a replayed one must still reach the ledger.

local stored = redis.call("GET", KEYS[4])
if stored then
  -- A write: WAIT speaks of what its own connection wrote, and this may be another one by now.
  redis.call("EXPIRE", KEYS[4], ARGV[1])
  return stored
end

local zsets = { [1] = true, [9] = true, [10] = true, [18] = true }
for i = 1, #KEYS do
  if zsets[i] then
    if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
  elseif i ~= 4 and i ~= 8 and not holds(KEYS[i], "hash") then
    return refuse(KEYS[i] .. " is no hash")
  end
end
local scheme = ARGV[11]
local shares = ({ prop = KEYS[2], pplns = KEYS[15], solo = KEYS[13] })[scheme]
if not shares then return refuse("bad scheme") end
local height = tonumber(ARGV[4])
if not height or height < 0 or height > 9007199254740991 then return refuse("bad height") end
for _, i in ipairs({ 8, 9 }) do
  if not string.match(ARGV[i], "^[1-9]%d*$") then return refuse("bad difficulty") end
end
if #ARGV[8] > 15 then return refuse("bad difficulty") end
local highest = tonumber(redis.call("HGET", KEYS[5], "height") or "0")
if not highest then return refuse("chain height is no number") end
if not countable(shares, ARGV[6]) then return refuse("round share is no counter") end
if not countable(KEYS[6], ARGV[7]) then return refuse("hashrate bucket is no counter") end
if not countable(KEYS[3], "roundShares") then return refuse("stats roundShares is no counter") end
if not countable(KEYS[7], "blocksFound") then return refuse("blocksFound is no counter") end
if scheme ~= "solo" then
  -- Doubles are good enough to see that the exact sum below stays far from 2^63.
  local rough = tonumber(ARGV[8])
  for _, value in ipairs(redis.call("HVALS", shares)) do
    if value ~= "0" and not string.match(value, "^[1-9]%d*$") then
      return refuse("round share is no counter")
    end
    rough = rough + tonumber(value)
  end
  if rough > 9e18 then return refuse("round shares overflow 64 bits") end
end

local reply = "1"
if redis.call("HEXISTS", KEYS[12], ARGV[10]) == 1 or redis.call("ZSCORE", KEYS[1], ARGV[5]) then
  reply = "2"
elseif redis.call("EXISTS", KEYS[8]) == 1 then
  -- Written over, the shares of another round would be gone.
  reply = "4"
end
local window, drop
if reply == "1" and scheme == "pplns" then
  local problem
  window, problem = readWindow(KEYS[14], KEYS[15], ARGV[12])
  if not window then return refuse(problem) end
  if not countable(window.slice, ARGV[6]) then return refuse("window's share is no counter") end
  -- No block pays a slice in part: one that has begun to drop out does so to its end.
  drop, problem = planDrop(window, tonumber(ARGV[13]), tonumber(ARGV[16]), true)
  if not drop then return refuse(problem) end
end

if reply == "1" then
  redis.call("ZADD", KEYS[1], ARGV[4], ARGV[5])
  if scheme == "pplns" then
    dropOld(window, drop)
    addToWindow(window, ARGV[6], ARGV[8])
    addToTotals(window, ARGV[8])
    closeSlice(window, tonumber(ARGV[14]), tonumber(ARGV[15]))
    redis.call("COPY", KEYS[15], KEYS[8])
  elseif scheme == "solo" then
    redis.call("HINCRBY", KEYS[13], ARGV[6], ARGV[8])
    redis.call("HSET", KEYS[8], ARGV[6], redis.call("HGET", KEYS[13], ARGV[6]))
    redis.call("HDEL", KEYS[13], ARGV[6])
  else
    redis.call("HINCRBY", KEYS[2], ARGV[6], ARGV[8])
    redis.call("RENAME", KEYS[2], KEYS[8])
  end
  if scheme ~= "prop" then redis.call("HSET", KEYS[16], ARGV[10], scheme) end
  local newBucket = redis.call("EXISTS", KEYS[6]) == 0
  redis.call("HINCRBY", KEYS[6], ARGV[7], ARGV[8])
  redis.call("HSET", KEYS[6], ARGV[7] .. ":t", ARGV[3])
  if newBucket then redis.call("EXPIRE", KEYS[6], ARGV[2]) end
  -- What a block took is counted from the last one that was shared; a window begins earlier.
  local effort, since
  if scheme ~= "solo" then
    redis.call("HINCRBY", KEYS[3], "roundShares", ARGV[8])
    effort = redis.call("HGET", KEYS[3], "roundShares")
    since = redis.call("HGET", KEYS[5], "sharedBlockAt")
      or redis.call("HGET", KEYS[3], "lastBlockFound")
    redis.call("HDEL", KEYS[3], "roundShares")
    redis.call("HSET", KEYS[5], "sharedBlockAt", ARGV[3])
  end
  redis.call("HSET", KEYS[3], "lastBlockFound", ARGV[3])
  redis.call("ZINCRBY", KEYS[10], 1, ARGV[6])
  redis.call("HINCRBY", KEYS[7], "blocksFound", 1)
  redis.call("HSET", KEYS[7], "lastShare", ARGV[3])
  -- An exact sum: Redis adds, Lua does not.
  redis.call("DEL", KEYS[11])
  for _, value in ipairs(redis.call("HVALS", KEYS[8])) do
    redis.call("HINCRBY", KEYS[11], "sum", value)
  end
  local total = redis.call("HGET", KEYS[11], "sum")
  redis.call("DEL", KEYS[11])
  local row = ARGV[5] .. ":" .. ARGV[3] .. ":" .. ARGV[9] .. ":" .. total
  redis.call("ZADD", KEYS[9], ARGV[4], row)
  redis.call("HSET", KEYS[12], ARGV[10], "{}")
  local nonce = string.match(ARGV[10], ":(.+)$")
  local find = ARGV[7] .. ":" .. (effort or total) .. ":" .. (since or "")
  redis.call("HSET", KEYS[17], ARGV[3] .. ":" .. nonce, find)
  redis.call("ZADD", KEYS[18], ARGV[3], ARGV[10])
  if height > highest then redis.call("HSET", KEYS[5], "height", ARGV[4]) end
end
redis.call("SET", KEYS[4], reply, "EX", ARGV[1])
return reply
