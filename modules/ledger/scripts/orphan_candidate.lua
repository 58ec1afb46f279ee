-- Moves a candidate that is not in the chain to immature as a pending orphan; its round stays.
-- KEYS 1 lease, 2 candidates, 3 immature, 4 block accounts
-- ARGV 1 token, 2 candidate member, 3 immature member, 4 height, 5 account field, 6 account (JSON)
-- Reply: 1 moved, 2 moved before.
for _, i in ipairs({ 2, 3 }) do
  if not holds(KEYS[i], "zset") then return refuse(KEYS[i] .. " is no sorted set") end
end
if not holds(KEYS[4], "hash") then return refuse(KEYS[4] .. " is no hash") end
if not redis.call("ZSCORE", KEYS[2], ARGV[2]) then
  if redis.call("ZSCORE", KEYS[3], ARGV[3]) then return 2 end
  return refuse("candidate is gone: " .. ARGV[2])
end
redis.call("ZREM", KEYS[2], ARGV[2])
redis.call("ZADD", KEYS[3], ARGV[4], ARGV[3])
redis.call("HSET", KEYS[4], ARGV[5], ARGV[6])
return 1
