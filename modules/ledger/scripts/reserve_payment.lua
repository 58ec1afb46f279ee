-- Debits a miner and opens a payment: balance -> pending, with the rows the old pool knows.
-- KEYS 1 lease, 2 miner, 3 finances, 4 payments:pending, 5 payments:lock, 6 payment, 7 open,
--      8 number, 9 held, 10 open by login, 11 pause
-- ARGV 1 token, 2 id, 3 login, 4 amount (Shannon), 5 now (s), 6 `login:amount`
-- Reply: ok | again | paused | held | open | poor | foreign (a row or lock of the old pool).

local function atLeast(a, b) return #a > #b or (#a == #b and a >= b) end

for _, i in ipairs({ 2, 3, 6, 10 }) do
  if not holds(KEYS[i], "hash") then return refuse(KEYS[i] .. " is no hash") end
end
for _, i in ipairs({ 4, 7 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
if not holds(KEYS[5], "string") then return refuse(KEYS[5] .. " is no string") end
if not holds(KEYS[8], "string") then return refuse(KEYS[8] .. " is no string") end
if not holds(KEYS[9], "set") then return refuse(KEYS[9] .. " is no set") end
if not (string.match(ARGV[4], "^[1-9]%d*$") and #ARGV[4] <= 17) then return refuse("bad amount") end
if not string.match(ARGV[5], "^%d+$") then return refuse("bad time") end

if redis.call("EXISTS", KEYS[6]) == 1 then
  local known = redis.call("HMGET", KEYS[6], "login", "amountShannon")
  if known[1] ~= ARGV[3] or known[2] ~= ARGV[4] then
    return refuse("payment " .. ARGV[2] .. " is another one")
  end
  return "again"
end
if redis.call("EXISTS", KEYS[11]) == 1 then return "paused" end
if redis.call("SISMEMBER", KEYS[9], ARGV[3]) == 1 then return "held" end
if redis.call("HEXISTS", KEYS[10], ARGV[3]) == 1 then return "open" end
if redis.call("ZSCORE", KEYS[4], ARGV[6]) then return "foreign" end
if redis.call("EXISTS", KEYS[5]) == 1 and redis.call("ZCARD", KEYS[7]) == 0 then
  return "foreign"
end
local number = redis.call("GET", KEYS[8]) or "0"
if not (string.match(number, "^%d+$") and #number <= 15) then return refuse("bad number") end
for _, i in ipairs({ 2, 3 }) do
  if not countable(KEYS[i], "balance") or not countable(KEYS[i], "pending") then
    return refuse(KEYS[i] .. " is no account")
  end
end
local balance = redis.call("HGET", KEYS[2], "balance") or "0"
if string.sub(balance, 1, 1) == "-" or not atLeast(balance, ARGV[4]) then return "poor" end

redis.call("HINCRBY", KEYS[2], "balance", "-" .. ARGV[4])
redis.call("HINCRBY", KEYS[2], "pending", ARGV[4])
redis.call("HINCRBY", KEYS[3], "balance", "-" .. ARGV[4])
redis.call("HINCRBY", KEYS[3], "pending", ARGV[4])
redis.call("ZADD", KEYS[4], ARGV[5], ARGV[6])
redis.call("SET", KEYS[5], ARGV[6], "NX")
redis.call("INCR", KEYS[8])
number = redis.call("GET", KEYS[8])
redis.call("HSET", KEYS[6], "id", ARGV[2], "number", number, "login", ARGV[3],
  "amountShannon", ARGV[4], "state", "reserved", "reservedAt", ARGV[5])
redis.call("ZADD", KEYS[7], number, ARGV[2])
redis.call("HSET", KEYS[10], ARGV[3], ARGV[2])
return "ok"
