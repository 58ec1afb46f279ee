-- Writes a final orphan, in chunks: immature credits go back, and its shares if the scheme says so.
-- KEYS 1 lease, 2 transition, 3 immature, 4 matured, 5 credits:immature, 6 finances,
--      7 block accounts, 8 round, 9 roundCurrent, 10 stats, 11... miners
-- ARGV 1 token, 2 plan, 3 last (1/0), 4 immature member, 5 matured member, 6 height,
--      7 account field before, 8 and now, 9 account (JSON), 10 return shares (1/0), then logins
-- Reply: 1 moved, 0 chunk done, 2 moved before.
for _, i in ipairs({ 3, 4 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
for _, i in ipairs({ 2, 5, 6, 7, 8, 9, 10 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
if not redis.call("ZSCORE", KEYS[3], ARGV[4]) then
  if redis.call("ZSCORE", KEYS[4], ARGV[5]) then return 2 end
  return refuse("immature block is gone: " .. ARGV[4])
end
local plan = redis.call("HGET", KEYS[2], "plan")
if plan and plan ~= ARGV[2] then return refuse("another plan has begun for " .. ARGV[4]) end
if not countable(KEYS[6], "immature") then return refuse("finances immature is no counter") end
if not countable(KEYS[10], "roundShares") then return refuse("stats roundShares is no counter") end
local last, returns = ARGV[3] == "1", ARGV[10] == "1"
local first, takes, takeCount, shares, shareCount = 11, {}, 0, {}, 0
local count = #ARGV - first + 1
for n = 0, count - 1 do
  local miner, login = KEYS[11 + n], ARGV[first + n]
  if not holds(miner, "hash") then return refuse(miner .. " is no hash") end
  local taken = redis.call("HGET", KEYS[5], login)
  if taken then
    if not isAmount(taken) then return refuse("bad immature credit of " .. login) end
    if not countable(miner, "immature") then return refuse(miner .. " is no counter") end
    takes[n], takeCount = taken, takeCount + 1
  end
  local share = returns and redis.call("HGET", KEYS[8], login)
  if share then
    if not isAmount(share) or not countable(KEYS[9], login) then
      return refuse("round share of " .. login .. " is no counter")
    end
    shares[n], shareCount = share, shareCount + 1
  end
end
if last and redis.call("HLEN", KEYS[5]) ~= takeCount then
  return refuse("immature credits are left over")
end
if last and returns and redis.call("HLEN", KEYS[8]) ~= shareCount then
  return refuse("round shares are left over")
end

for n = 0, count - 1 do
  local login = ARGV[first + n]
  if takes[n] then takeBack(KEYS[11 + n], KEYS[6], KEYS[5], login, takes[n]) end
  if shares[n] then
    redis.call("HINCRBY", KEYS[9], login, shares[n])
    redis.call("HINCRBY", KEYS[10], "roundShares", shares[n])
    redis.call("HDEL", KEYS[8], login)
  end
end
if not last then
  redis.call("HSET", KEYS[2], "plan", ARGV[2])
  return 0
end
redis.call("DEL", KEYS[8])
redis.call("ZREM", KEYS[3], ARGV[4])
redis.call("ZADD", KEYS[4], ARGV[6], ARGV[5])
redis.call("HDEL", KEYS[7], ARGV[7])
redis.call("HSET", KEYS[7], ARGV[8], ARGV[9])
redis.call("DEL", KEYS[2])
return 1
