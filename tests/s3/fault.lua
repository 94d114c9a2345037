-- Faults in front of a real server (nginx with Lua): the request goes on as it came, so signatures hold.
--   /set?op=part&act=error&arg=SlowDown&from=2&count=3   a rule: requests from .. from+count-1 of the kind get the act
--   /show   counters: one line NAME=N for each operation, and hits; /reset   forgets rules and counters
-- op: create part complete abort list_parts put head get delete any. act, each as in scripted_s3.py: error, early, rst,
-- stall, delay, etag, noetag, drop, trunc, corrupt, okerror; percent=N on any of them.
local M = {}
local D = ngx.shared.fault
local STATUS = { SlowDown = 503, InternalError = 500, ServiceUnavailable = 503, AccessDenied = 403, NoSuchUpload = 404,
  RequestTimeTooSkewed = 403, PermanentRedirect = 301, TemporaryRedirect = 307, OperationAborted = 409,
  TooManyRequests = 429 }

local function operation()
  local method, args = ngx.var.request_method, "&" .. (ngx.var.args or "")
  if method == "POST" then
    return args:find("&uploadId=") and "complete" or args:find("&uploads") and "create" or "other"
  end
  if args:find("&uploadId=") then
    return ({ PUT = "part", DELETE = "abort", GET = "list_parts" })[method] or "other"
  end
  return method:lower()
end

local function document(code)
  return '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>' .. code .. "</Code><Message>injected " .. code
    .. "</Message><RequestId>PROXY</RequestId><HostId>proxy</HostId></Error>"
end

local function take(most)
  local left = tonumber(ngx.var.http_content_length or "0") or 0
  if most and most < left then left = most end
  if left == 0 then return end
  local socket = ngx.req.socket()
  while socket and left > 0 do
    local data = socket:receiveany(left < 262144 and left or 262144)
    if not data then return end
    left = left - #data
  end
end

-- The rule that this request falls under: act, arg; or nothing.
local function rule_for(op, number, all)
  for _, name in ipairs(D:get_keys(1000)) do
    local rule = name:sub(1, 5) == "rule:" and D:get(name)
    if rule then
      local kind, act, from, count, percent, arg = rule:match("^([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|(.*)$")
      local n = kind == "any" and all or number
      if (kind == op or kind == "any") and n >= tonumber(from) and n < tonumber(from) + tonumber(count)
        and math.random(100) <= tonumber(percent) then
        return act, arg
      end
    end
  end
end

local function send_error(code, status, close)
  local body = document(code)
  ngx.req.clear_header("If-None-Match") -- nginx would make a 304 of a 200
  ngx.status = status or STATUS[code] or 400
  ngx.header["Content-Type"] = "application/xml"
  ngx.header["Content-Length"] = #body
  if close then ngx.header["Connection"] = "close" end
  if ngx.req.get_method() ~= "HEAD" then ngx.print(body) end
  return ngx.exit(ngx.HTTP_OK)
end

function M.access()
  local op = operation()
  local number, all = D:incr("n:" .. op, 1, 0), D:incr("n:any", 1, 0)
  local act, arg = rule_for(op, number, all)
  if not act then return end
  D:incr("hits", 1, 0)
  ngx.ctx.act = act
  local code = arg ~= "" and arg or "SlowDown"
  if act == "error" then take(); return send_error(code) end
  if act == "early" then return send_error(code, nil, true) end
  if act == "okerror" then take(); return send_error(code, 200) end
  if act == "rst" then take(tonumber(arg) or 0); return ngx.exit(444) end
  if act == "stall" then ngx.sleep(tonumber(arg) or 3600); return ngx.exit(444) end
  if act == "delay" then ngx.sleep(tonumber(arg) or 1) end
  if act == "corrupt" then
    ngx.req.read_body()
    local body = ngx.req.get_body_data()
    if body then
      local middle = math.floor(#body / 2)
      local other = string.char((body:byte(middle + 1) + 1) % 256)
      ngx.req.set_body_data(body:sub(1, middle) .. other .. body:sub(middle + 2))
    end
  end
end

function M.header()
  if ngx.ctx.act == "etag" then ngx.header["ETag"] = '"deadbeefdeadbeefdeadbeefdeadbeef"' end
  if ngx.ctx.act == "noetag" then ngx.header["ETag"] = nil end
end

function M.body()
  if ngx.ctx.act == "drop" then return ngx.ERROR end -- the server did it; nothing of the answer was sent yet
  if ngx.ctx.cut then return ngx.ERROR end
  if ngx.ctx.act == "trunc" and ngx.arg[1] and #ngx.arg[1] > 0 then
    ngx.ctx.cut = true
    ngx.arg[1] = ngx.arg[1]:sub(1, math.floor(#ngx.arg[1] / 2))
    ngx.arg[2] = false
  end
end

function M.control()
  local args, uri = ngx.req.get_uri_args(), ngx.var.uri
  if uri == "/set" then
    local id = D:incr("ids", 1, 0)
    D:set("rule:" .. id, table.concat({ args.op or "part", args.act or "error", args.from or "1", args.count or "1",
      args.percent or "100", args.arg or "" }, "|"))
  elseif uri == "/reset" then
    D:flush_all()
  else
    for _, name in ipairs(D:get_keys(1000)) do
      if name:sub(1, 2) == "n:" then ngx.say(name:sub(3), "=", D:get(name)) end
    end
    ngx.say("hits=", D:get("hits") or 0)
  end
  ngx.say("ok")
end

return M
