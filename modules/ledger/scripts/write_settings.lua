-- Stores what a miner has set, unless something newer is there.
-- KEYS 1 settings
-- ARGV 1 login, 2 JSON, 3 nonce
-- Reply: ok | old.

if not holds(KEYS[1], "hash") then return refuse(KEYS[1] .. " is no hash") end
if not (string.match(ARGV[3], "^%d+$") and #ARGV[3] <= 15) then return refuse("bad nonce") end
local known = redis.call("HGET", KEYS[1], ARGV[1])
if known then
  local read, settings = pcall(cjson.decode, known)
  if not read or type(settings) ~= "table" or type(settings.nonce) ~= "number" then
    return refuse("settings of " .. ARGV[1] .. " cannot be read")
  end
  if tonumber(ARGV[3]) <= settings.nonce then return "old" end
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
return "ok"
