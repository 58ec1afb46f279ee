-- Notes that a node took a payment's transaction.
-- KEYS 1 lease, 2 payment
-- ARGV 1 token, 2 id, 3 now (s)
-- Reply: ok | again | final.

if not holds(KEYS[2], "hash") then return refuse(KEYS[2] .. " is no hash") end
if not string.match(ARGV[3], "^%d+$") then return refuse("bad time") end

local known = redis.call("HMGET", KEYS[2], "state", "id")
if known[2] ~= ARGV[2] then return refuse("payment " .. ARGV[2] .. " is unknown") end
if known[1] == "sent" then return "again" end
if known[1] == "reserved" then return refuse("payment " .. ARGV[2] .. " is not signed") end
if known[1] ~= "signed" then return "final" end

redis.call("HSET", KEYS[2], "state", "sent", "sentAt", ARGV[3])
return "ok"
