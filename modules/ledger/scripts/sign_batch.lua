-- Stores one signed transaction for many payments before it is broadcast: all of them, or none.
-- KEYS 1 lease, 2 nonces, 3 spent, 4… payments
-- ARGV 1 token, 2 batch, 3 nonce, 4 raw bytes (hex), 5 hash, 6 now (s), 7 `address:nonce`,
--      8… ids, in the order of the transaction's payees
-- Reply: ok | again.
-- A nonce has one batch, as it otherwise has one payment; a batch is never signed again.

if not holds(KEYS[2], "hash") then return refuse(KEYS[2] .. " is no hash") end
if not holds(KEYS[3], "zset") then return refuse(KEYS[3] .. " is no sorted set") end
for _, i in ipairs({ 3, 6 }) do
  if not string.match(ARGV[i], "^%d+$") then return refuse("bad number") end
end
if not string.match(ARGV[2], "^batch:%S+$") then return refuse("bad batch") end
if not (string.match(ARGV[5], "^0x%x+$") and #ARGV[5] == 66) then return refuse("bad hash") end
if not string.match(ARGV[4], "^0x%x+$") then return refuse("bad transaction") end
local count = #KEYS - 3
if count < 1 or #ARGV - 7 ~= count then return refuse("bad number of payments") end

local signed, amounts = 0, {}
for n = 1, count do
  local key, id = KEYS[3 + n], ARGV[7 + n]
  if not holds(key, "hash") then return refuse(key .. " is no hash") end
  local known = redis.call("HMGET", key, "state", "id", "batch", "hash", "amountShannon")
  if known[2] ~= id then return refuse("payment " .. id .. " is unknown") end
  amounts[n] = known[5] or "0"
  if known[3] == ARGV[2] and known[4] == ARGV[5] then
    signed = signed + 1
  elseif known[1] ~= "reserved" then
    return refuse("payment " .. id .. " is " .. tostring(known[1]))
  end
end
if signed == count then return "again" end
if signed > 0 then return refuse("batch " .. ARGV[2] .. " is signed in part") end
local owner = redis.call("HGET", KEYS[2], ARGV[7])
if owner and owner ~= ARGV[2] then return refuse("nonce " .. ARGV[3] .. " belongs to " .. owner) end

redis.call("HSET", KEYS[2], ARGV[7], ARGV[2])
-- Two days are enough for a cap that looks back one.
redis.call("ZREMRANGEBYSCORE", KEYS[3], "-inf", string.format("%.0f", tonumber(ARGV[6]) - 172800))
for n = 1, count do
  redis.call("HSET", KEYS[3 + n], "state", "signed", "nonce", ARGV[3], "raw", ARGV[4],
    "hash", ARGV[5], "hashes", ARGV[5], "signedAt", ARGV[6], "batch", ARGV[2],
    "batchIndex", n - 1, "batchSize", count)
  redis.call("ZADD", KEYS[3], ARGV[6], ARGV[7 + n] .. ":" .. amounts[n])
end
return "ok"
