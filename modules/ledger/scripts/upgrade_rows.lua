-- Gives rows of a sorted set other members, with their scores; a row that is gone stays gone.
-- KEYS 1 sorted set
-- ARGV pairs: member before, member after
-- Reply: rows rewritten.
local count = 0
for i = 1, #ARGV, 2 do
  local score = redis.call("ZSCORE", KEYS[1], ARGV[i])
  if score and not redis.call("ZSCORE", KEYS[1], ARGV[i + 1]) then
    redis.call("ZREM", KEYS[1], ARGV[i])
    redis.call("ZADD", KEYS[1], score, ARGV[i + 1])
    count = count + 1
  end
end
return count
