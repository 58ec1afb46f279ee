-- Notes that a payment's bytes are about to be broadcast: the last write that must be safe before.
-- KEYS 1 lease, 2 payment
-- ARGV 1 token, 2 id, 3 now (s)
-- Reply: ok | final.

if not holds(KEYS[2], "hash") then return refuse(KEYS[2] .. " is no hash") end
if not string.match(ARGV[3], "^%d+$") then return refuse("bad time") end
local known = redis.call("HMGET", KEYS[2], "state", "id")
if known[2] ~= ARGV[2] then return refuse("payment " .. ARGV[2] .. " is unknown") end
if known[1] == "reserved" then return refuse("payment " .. ARGV[2] .. " is not signed") end
if known[1] ~= "signed" and known[1] ~= "sent" then return "final" end
redis.call("HSET", KEYS[2], "offeredAt", ARGV[3])
return "ok"
