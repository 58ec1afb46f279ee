-- Keeps what a worker says of its own hashrate; anybody may say anything, so the hash is bounded.
-- KEYS 1 reported   ARGV 1 login:worker, 2 `hashrateHps:unixSeconds`, 3 most workers, 4 life (s)
-- Reply: 1 written, 0 when there are too many workers already.
if redis.call("HLEN", KEYS[1]) >= tonumber(ARGV[3])
  and redis.call("HEXISTS", KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call("HSET", KEYS[1], ARGV[1], ARGV[2])
-- Not prolonged: workers that left go with the hash, the others say it again.
if redis.call("TTL", KEYS[1]) < 0 then redis.call("EXPIRE", KEYS[1], ARGV[4]) end
return 1
