-- Notes where a payment's transaction was mined, or, with an empty hash, that it vanished again.
-- KEYS 1 lease, 2 payment
-- ARGV 1 token, 2 id, 3 transaction hash or "", 4 height or "", 5 block hash or "", 6 now (s)
-- Reply: ok | again | final.

if not holds(KEYS[2], "hash") then return refuse(KEYS[2] .. " is no hash") end
if ARGV[3] ~= "" and not string.match(ARGV[4], "^%d+$") then return refuse("bad height") end

local known = redis.call("HMGET", KEYS[2], "state", "id", "minedHash", "minedBlock", "hashes")
if known[2] ~= ARGV[2] then return refuse("payment " .. ARGV[2] .. " is unknown") end
if known[1] ~= "signed" and known[1] ~= "sent" then
  if known[1] == "reserved" then return refuse("payment " .. ARGV[2] .. " is not signed") end
  return "final"
end
if ARGV[3] == "" then
  if not known[3] then return "again" end
  redis.call("HDEL", KEYS[2], "minedHash", "minedHeight", "minedBlock", "minedAt")
  return "ok"
end
if not string.find("," .. (known[5] or "") .. ",", "," .. ARGV[3] .. ",", 1, true) then
  return refuse("transaction " .. ARGV[3] .. " is not of payment " .. ARGV[2])
end
if known[3] == ARGV[3] and known[4] == ARGV[5] then return "again" end
redis.call("HSET", KEYS[2], "state", "sent", "minedHash", ARGV[3], "minedHeight", ARGV[4],
  "minedBlock", ARGV[5], "minedAt", ARGV[6])
return "ok"
