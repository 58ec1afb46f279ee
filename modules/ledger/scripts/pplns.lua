-- The PPLNS window, for the scripts that record: slices (login → difficulty), oldest first, and the
-- sum of all of them (login → difficulty), from which the oldest is subtracted a portion at a time.
-- State: first, open: numbers of the oldest slice that counts and of the newest, which takes shares;
--   total: difficulty of first to open; s<number>: that of each; dropping, cursor: the slice that is
--   being subtracted, and where.
-- A slice's key is built here from the prefix of all of them, which the caller gives: it begins as
-- every key of the pool does, so that a prefix in braces keeps it in the same Cluster slot.
-- Totals are compared as doubles: rounding could end a slice a share sooner, and moves no share.

-- Reads the state, or says what is wrong with it. Nothing is written here.
local function readWindow(stateKey, sumsKey, prefix)
  for _, key in ipairs({ stateKey, sumsKey }) do
    if not holds(key, "hash") then return nil, key .. " is no hash" end
  end
  local first, open, total, dropping, cursor = unpack(
    redis.call("HMGET", stateKey, "first", "open", "total", "dropping", "cursor"))
  for _, number in ipairs({ first or "1", open or "1", dropping or "1" }) do
    if not isAmount(number) then return nil, "number of a slice is no number" end
  end
  local window = { state = stateKey, sums = sumsKey, prefix = prefix, first = tonumber(first or "1"),
    open = open or "1", total = total or "0", dropping = dropping, cursor = cursor or "0" }
  window.slice = prefix .. window.open
  if not holds(window.slice, "hash") then return nil, window.slice .. " is no hash" end
  if not isAmount(window.total) or not countable(stateKey, "s" .. window.open) then
    return nil, "total of the window is no counter"
  end
  return window
end

-- Chooses the shares that leave the window: whole slices from the oldest on, as long as the others
-- hold `width`; about `budget` fields in all, `finishing` a slice that has begun whatever it takes.
-- Reads only; dropOld writes what this chose.
local function planDrop(window, width, budget, finishing)
  local plan = { parts = {} }
  local fields, pages, total, first = 0, 0, tonumber(window.total), window.first
  local part = window.dropping and { number = window.dropping, logins = {}, amounts = {} }
  local cursor, taken = window.cursor, {}
  plan.parts[1] = part or nil
  while true do
    if not part then
      if fields >= budget or pages >= 256 or first >= tonumber(window.open) then break end
      local number = string.format("%.0f", first)
      local oldest = redis.call("HGET", window.state, "s" .. number)
      if not oldest or not isAmount(oldest) then return nil, "total of a slice is no amount" end
      total = total - tonumber(oldest)
      if total < width then break end
      if not holds(window.prefix .. number, "hash") then return nil, "a slice is no hash" end
      part = { number = number, total = oldest, logins = {}, amounts = {} }
      plan.parts[#plan.parts + 1] = part
      first, cursor, taken = first + 1, "0", {}
    end
    local slice = window.prefix .. part.number
    local page = finishing and { "0", redis.call("HGETALL", slice) } or
      redis.call("HSCAN", slice, cursor, "COUNT", math.max(budget - fields, 10))
    cursor, pages = page[1], pages + 1
    for i = 1, #page[2], 2 do
      local login, amount = page[2][i], page[2][i + 1]
      if not taken[login] then
        local sum = redis.call("HGET", window.sums, login)
        if not isAmount(amount) or amount == "0" or not sum or not isCounter(sum) then
          return nil, "window's share of " .. login .. " is no counter"
        end
        taken[login], fields = true, fields + 1
        part.logins[#part.logins + 1], part.amounts[#part.amounts + 1] = login, amount
      end
    end
    -- A cursor of before a restart or a failover means nothing to this server: only a slice of
    -- which every field was seen is done, any other is gone through once more.
    if cursor == "0" and #part.logins == redis.call("HLEN", slice) then
      part.done, part = true, nil
    elseif fields >= budget or pages >= 256 then
      break
    end
  end
  plan.first, plan.dropping, plan.cursor = first, part and part.number, cursor
  return plan
end

-- Writes what planDrop chose.
local function dropOld(window, plan)
  for _, part in ipairs(plan.parts) do
    if part.total then
      if part.total ~= "0" then redis.call("HINCRBY", window.state, "total", "-" .. part.total) end
      redis.call("HDEL", window.state, "s" .. part.number)
    end
    for i, login in ipairs(part.logins) do
      if redis.call("HINCRBY", window.sums, login, "-" .. part.amounts[i]) == 0 then
        redis.call("HDEL", window.sums, login)
      end
    end
    local slice = window.prefix .. part.number
    if part.done then redis.call("DEL", slice)
    elseif #part.logins > 0 then redis.call("HDEL", slice, unpack(part.logins)) end
  end
  window.first = plan.first
  redis.call("HSET", window.state, "first", string.format("%.0f", plan.first), "open", window.open)
  if plan.dropping then
    redis.call("HSET", window.state, "dropping", plan.dropping, "cursor", plan.cursor)
  elseif window.dropping or #plan.parts > 0 then
    redis.call("HDEL", window.state, "dropping", "cursor")
  end
end

-- Adds a share to the newest slice and to the sums; the totals are the caller's, once a batch.
local function addToWindow(window, login, difficulty)
  redis.call("HINCRBY", window.slice, login, difficulty)
  redis.call("HINCRBY", window.sums, login, difficulty)
end

-- Adds to the totals, or takes from them with a "-" in front.
local function addToTotals(window, difficulty)
  redis.call("HINCRBY", window.state, "total", difficulty)
  redis.call("HINCRBY", window.state, "s" .. window.open, difficulty)
end

-- Begins a new slice when the newest one holds `least` and there are fewer than `most`.
local function closeSlice(window, least, most)
  local held = tonumber(redis.call("HGET", window.state, "s" .. window.open))
  if held < least or tonumber(window.open) - window.first + 1 >= most then return end
  redis.call("HINCRBY", window.state, "open", 1)
end
