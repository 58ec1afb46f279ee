-- Moves the height up to which the paying address's nonces are accounted for.
-- KEYS 1 lease, 2 nonces
-- ARGV 1 token, 2 address, 3 first nonce that is not accounted for
-- Reply: ok | fenced.

local function refuse(what) return redis.error_reply("QUARRY " .. what) end
for i = 1, 2 do
  local kind = redis.call("TYPE", KEYS[i]).ok
  if kind ~= "none" and kind ~= "hash" then return refuse(KEYS[i] .. " is no hash") end
end
if not (string.match(ARGV[3], "^%d+$") and #ARGV[3] <= 15) then return refuse("bad nonce") end
if redis.call("HGET", KEYS[1], "token") ~= ARGV[1] then return "fenced" end
redis.call("HSET", KEYS[2], ARGV[2] .. ":checked", ARGV[3])
return "ok"
