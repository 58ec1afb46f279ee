-- Moves the height up to which the paying address's nonces are accounted for.
-- KEYS 1 lease, 2 nonces
-- ARGV 1 token, 2 address, 3 first nonce that is not accounted for
-- Reply: ok.

if not holds(KEYS[2], "hash") then return refuse(KEYS[2] .. " is no hash") end
if not (string.match(ARGV[3], "^%d+$") and #ARGV[3] <= 15) then return refuse("bad nonce") end
redis.call("HSET", KEYS[2], ARGV[2] .. ":checked", ARGV[3])
return "ok"
