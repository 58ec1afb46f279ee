-- Writes down what one node answered to eth_submitWork for a recorded candidate.
-- KEYS 1 submissions   ARGV 1 `<height>:<nonce>`, 2 node name, 3 answer (text)
-- Reply: 1 written, 0 when the candidate is not recorded (yet).
local row = redis.call("HGET", KEYS[1], ARGV[1])
if not row then return 0 end
local answers = cjson.decode(row)
answers[ARGV[2]] = ARGV[3]
redis.call("HSET", KEYS[1], ARGV[1], cjson.encode(answers))
return 1
