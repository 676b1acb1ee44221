-- wrk's requests with the header templates of load/headers.py: a value of its
-- own for {random:N} (N a multiple of 16) and {address} in every request, of
-- which there are REQUESTS, made before the load and sent in turn. To make one
-- while the load runs costs wrk more than to send it: the server would wait.
--
--   wrk ... -s benchmarks/templates.lua URL -- "Name: value" "Name: {random:32}"

local REQUESTS, KNOWN = 65536, 4096
local hex, numbers, pieces, slots, requests = {}, {}, {}, {}, {}
local count = 0

-- xorshift: every request needs bits that no other had; how random they are
-- does not matter.
local state = 88172645463325252 % 4294967296

local function draw()
   state = bit.bxor(state, bit.lshift(state, 13))
   state = bit.bxor(state, bit.rshift(state, 17))
   state = bit.bxor(state, bit.lshift(state, 5))
   return bit.band(state, 0xffffffff)
end

-- Two tables' entries by two digits of the request's number: no pair comes
-- twice.
local function random(size)
   local text = hex[count % KNOWN + 1]
   local more = hex[math.floor(count / KNOWN) % KNOWN + 1]
   if size == 32 then
      return text .. more
   end
   return (text .. more):rep(math.ceil(size / 32)):sub(1, size)
end

local function address()
   local high = math.floor(count / 65536) % 256
   local middle = math.floor(count / 256) % 256
   return "10." .. numbers[high] .. "." .. numbers[middle] .. "."
      .. numbers[count % 256]
end

local function add(text)
   local at = 1
   while true do
      local first, last, what = text:find("{([%w:]+)}", at)
      if not first then
         break
      end
      pieces[#pieces] = pieces[#pieces] .. text:sub(at, first - 1)
      slots[#slots + 1] = what
      pieces[#pieces + 1] = ""
      at = last + 1
   end
   pieces[#pieces] = pieces[#pieces] .. text:sub(at)
end

local function make()
   local made = { pieces[1] }
   count = count + 1
   for number = 1, #slots do
      made[2 * number] = slots[number]()
      made[2 * number + 1] = pieces[number + 1]
   end
   return table.concat(made)
end

function init(args)
   for number = 0, 255 do
      numbers[number] = tostring(number)
   end
   for number = 1, KNOWN do
      hex[number] = bit.tohex(draw()) .. bit.tohex(draw())
   end
   pieces[1] = "GET / HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port .. "\r\n"
   for number = 1, #args do
      add(args[number] .. "\r\n")
   end
   pieces[#pieces] = pieces[#pieces] .. "\r\n"
   for number, what in ipairs(slots) do
      local size = tonumber(what:match("^random:(%d+)$"))
      if size then
         slots[number] = function() return random(size) end
      elseif what == "address" then
         slots[number] = address
      else
         error("no such template: {" .. what .. "}")
      end
   end
   for number = 1, REQUESTS do
      requests[number] = make()
   end
   count = 0
end

function request()
   count = count % REQUESTS + 1
   return requests[count]
end
