-- What every script checks with before its first write; the ledger puts it in front of each of them.
-- Redis does not roll a script back: everything is checked before the first write. Money and
-- difficulty stay text for HINCRBY, because a Lua number is exact only to 2^53.
local function refuse(what) return redis.error_reply("QUARRY " .. what) end
local function holds(key, want)
  local kind = redis.call("TYPE", key).ok
  return kind == "none" or kind == want
end
-- 18 digits on either side of an addition cannot leave 64 bits. Only what HINCRBY reads: it refuses
-- leading zeros and a negative zero, so that "-" goes in front of no zero.
local function isAmount(text)
  return text == "0" or (#text <= 18 and string.match(text, "^[1-9]%d*$") ~= nil)
end
local function isCounter(text)
  if not text or text == "0" then return true end
  local digits = string.match(text, "^%-?([1-9]%d*)$")
  return digits ~= nil and #digits <= 18
end
local function countable(key, field) return isCounter(redis.call("HGET", key, field)) end
