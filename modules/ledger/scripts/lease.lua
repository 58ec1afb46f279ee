-- Gives a role to one holder at a time; every success of `acquire` has a higher token.
-- KEYS 1 lease, 2 fence, 3 the old pool's hashrate set
-- ARGV 1 acquire | renew | release, 2 holder, 3 token, 4 life (ms), 5 how long the old pool's last
--      share says that it still runs (s)
-- Reply: {token} on success, otherwise {"", holder, untilMs}. Time is the server's own.
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local holder, token, untilMs = unpack(redis.call("HMGET", KEYS[1], "holder", "token", "untilMs"))
local ends = tonumber(untilMs or "0") or 0
local lasts = string.format("%.0f", now + tonumber(ARGV[4]))

-- A Go pool on the same database would credit and pay beside us: nobody gets the role, and a holder
-- loses it, until its shares stop. Quarry never writes this set.
if ARGV[1] ~= "release" and redis.call("TYPE", KEYS[3]).ok == "zset" then
  local newest = redis.call("ZRANGE", KEYS[3], 0, 0, "REV", "WITHSCORES")[2]
  local untilS = (tonumber(newest or "0") or 0) + tonumber(ARGV[5])
  if untilS > tonumber(time[1]) then
    if token and token == ARGV[3] then redis.call("HDEL", KEYS[1], "token", "untilMs") end
    local text = "an open-ethereum-pool that still writes " .. KEYS[3] .. " (stop it)"
    return { "", text, string.format("%.0f", untilS * 1000) }
  end
end

if ARGV[1] == "acquire" then
  -- The same name again is the same process after a restart: it gets a new token at once.
  if token and ends > now and holder ~= ARGV[2] then return { "", holder, untilMs } end
  local last = tonumber(redis.call("GET", KEYS[2]) or "0")
  if not last then return redis.error_reply("QUARRY " .. KEYS[2] .. " is no number") end
  -- Microseconds, below 2^53: a promoted replica that lost the last token gives none out twice.
  local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
  local fresh = string.format("%.0f", math.max(last + 1, micros))
  redis.call("SET", KEYS[2], fresh)
  redis.call("HSET", KEYS[1], "holder", ARGV[2], "token", fresh, "untilMs", lasts)
  return { fresh }
end
if token ~= ARGV[3] then return { "", holder or "", untilMs or "0" } end
if ARGV[1] == "renew" then
  redis.call("HSET", KEYS[1], "untilMs", lasts)
else
  redis.call("HDEL", KEYS[1], "token", "untilMs")
end
return { token }
