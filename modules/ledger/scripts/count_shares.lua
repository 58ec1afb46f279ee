-- Adds to the counts of five minutes; anybody may name a new worker, so the hash is bounded.
-- A field that ends in ":d" is a text and replaces the one before.
-- KEYS 1 counts   ARGV 1 most fields, 2 life (s), then field and number or text in turn
-- Reply: fields that found no room.
if redis.call("EXISTS", KEYS[1]) == 1 and redis.call("TYPE", KEYS[1]).ok ~= "hash" then
  return redis.error_reply("QUARRY " .. KEYS[1] .. " is no hash")
end
local held, refused = redis.call("HLEN", KEYS[1]), 0
for i = 3, #ARGV, 2 do
  local known = redis.call("HEXISTS", KEYS[1], ARGV[i]) == 1
  if known or held < tonumber(ARGV[1]) then
    local write = string.sub(ARGV[i], -2) == ":d" and "HSET" or "HINCRBY"
    redis.call(write, KEYS[1], ARGV[i], ARGV[i + 1])
    if not known then held = held + 1 end
  else
    refused = refused + 1
  end
end
if redis.call("TTL", KEYS[1]) < 0 then redis.call("EXPIRE", KEYS[1], ARGV[2]) end
return refused
