-- Stores a payment's signed transaction before it is broadcast; all its hashes are kept.
-- KEYS 1 lease, 2 payment, 3 nonces, 4 spent
-- ARGV 1 token, 2 id, 3 nonce, 4 raw bytes (hex), 5 hash, 6 now (s), 7 `address:nonce`
-- Reply: ok | again | final.
-- A signed nonce is only ever signed again for the same payment; so a nonce has one payment.

for i = 2, 3 do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
if not holds(KEYS[4], "zset") then return refuse(KEYS[4] .. " is no sorted set") end
if not string.match(ARGV[3], "^%d+$") then return refuse("bad nonce") end
if not string.match(ARGV[6], "^%d+$") then return refuse("bad time") end
if not (string.match(ARGV[5], "^0x%x+$") and #ARGV[5] == 66) then return refuse("bad hash") end
if not string.match(ARGV[4], "^0x%x+$") then return refuse("bad transaction") end

local known = redis.call("HMGET", KEYS[2], "state", "nonce", "hashes", "id", "amountShannon")
local state, nonce, hashes = known[1], known[2], known[3] or ""
if not state or known[4] ~= ARGV[2] then return refuse("payment " .. ARGV[2] .. " is unknown") end
if string.find("," .. hashes .. ",", "," .. ARGV[5] .. ",", 1, true) then return "again" end
if state ~= "reserved" and state ~= "signed" and state ~= "sent" then return "final" end
if nonce and nonce ~= ARGV[3] then return refuse("payment " .. ARGV[2] .. " has another nonce") end
local owner = redis.call("HGET", KEYS[3], ARGV[7])
if owner and owner ~= ARGV[2] then return refuse("nonce " .. ARGV[3] .. " belongs to " .. owner) end

redis.call("HSET", KEYS[3], ARGV[7], ARGV[2])
redis.call("HSET", KEYS[2], "nonce", ARGV[3], "raw", ARGV[4], "hash", ARGV[5],
  "hashes", hashes == "" and ARGV[5] or hashes .. "," .. ARGV[5])
redis.call("HSET", KEYS[2], "signedAt", ARGV[6])
if state == "reserved" then
  redis.call("HSET", KEYS[2], "state", "signed")
  -- Two days are enough for a cap that looks back one.
  redis.call("ZREMRANGEBYSCORE", KEYS[4], "-inf", string.format("%.0f", tonumber(ARGV[6]) - 172800))
  redis.call("ZADD", KEYS[4], ARGV[6], ARGV[2] .. ":" .. (known[5] or "0"))
end
return "ok"
