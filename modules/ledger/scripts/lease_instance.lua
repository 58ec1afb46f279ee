-- Gives a number from 0 to 255 to one instance at a time, or prolongs it; the same name gets the
-- same number again while nobody else has it.
-- KEYS 1 hash: number → holder, 2 zset: time until which it is held (ms) → number
-- ARGV 1 holder, 2 life (ms), 3 the number that is wanted, or ""
-- Reply: the number, or -1 when the wanted one, or every one, is somebody else's.
local time = redis.call("TIME")
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local untilMs = string.format("%.0f", now + tonumber(ARGV[2]))

local function give(number)
  redis.call("HSET", KEYS[1], number, ARGV[1])
  redis.call("ZADD", KEYS[2], untilMs, number)
  return tonumber(number)
end

local function isFree(number)
  local holder = redis.call("HGET", KEYS[1], number)
  if not holder or holder == ARGV[1] then return true end
  return (tonumber(redis.call("ZSCORE", KEYS[2], number) or "0") or 0) <= now
end

if ARGV[3] ~= "" then
  if isFree(ARGV[3]) then return give(ARGV[3]) end
  return -1
end
local first = nil
for number = 0, 255 do
  local text = tostring(number)
  if redis.call("HGET", KEYS[1], text) == ARGV[1] then return give(text) end
  if not first and isFree(text) then first = text end
end
if first then return give(first) end
return -1
