-- Notes how far the chain was searched for blocks of ours, and the blocks that no row accounts for.
-- KEYS 1 lease, 2 scanned height, 3 unknown blocks
-- ARGV 1 token, 2 height searched up to, 3… field and JSON of each block
-- Reply: number of blocks that are new.
if not holds(KEYS[2], "string") then return refuse(KEYS[2] .. " is no string") end
if not holds(KEYS[3], "hash") then return refuse(KEYS[3] .. " is no hash") end
if not string.match(ARGV[2], "^%d+$") then return refuse("bad height") end

redis.call("SET", KEYS[2], ARGV[2])
local new = 0
for i = 3, #ARGV, 2 do
  new = new + redis.call("HSETNX", KEYS[3], ARGV[i], ARGV[i + 1])
end
return new
