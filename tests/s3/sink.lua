-- An S3 that throws bodies away (nginx with Lua): fast enough that the client is what is measured. Nothing is verified.
-- It remembers of an object what HEAD shows: size, checksum, metadata, ETag. A part is answered after its last byte.
--   /_ctl?rate=5e6&ttfb=0.03&md5=1   paces each connection (bytes a second), delays answers, true MD5 ETags; 0: off
--   /_ctr                            {"parts", "bytes", "puts", "creates", "completes", "connections"} as numbers
--   /_reset                          forgets objects and counters
local M = {}
local state, counters = ngx.shared.sink_state, ngx.shared.sink_counters
local SUMS = { "crc64nvme", "crc32c", "crc32", "sha1", "sha256" }
local HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
local NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'

-- nginx itself would make a 304 of a 200 to a request with If-None-Match: *.
local function exists_already(uri, headers)
  local star = headers["if-none-match"] == "*"
  ngx.req.clear_header("If-None-Match")
  return star and state:get("object:" .. uri) ~= nil
end

local function xml_error(status, code)
  ngx.status = status
  ngx.header["Content-Type"] = "application/xml"
  if ngx.req.get_method() == "HEAD" then ngx.header["Content-Length"] = 0; return ngx.exit(status) end
  local body = HEAD .. "<Error><Code>" .. code .. "</Code><Message>" .. code .. "</Message></Error>"
  ngx.header["Content-Length"] = #body
  ngx.print(body)
  return ngx.exit(status)
end

local function escaped(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

-- MD5 of libcrypto, which nginx has loaded (Debian has no resty.md5).
local ffi = require("ffi")
ffi.cdef [[
int MD5_Init(void *c);
int MD5_Update(void *c, const void *data, size_t len);
int MD5_Final(unsigned char *md, void *c);
]]

local function new_md5()
  local context, digest = ffi.new("uint32_t[32]"), ffi.new("unsigned char[16]") -- an MD5_CTX has 92 bytes
  ffi.C.MD5_Init(context)
  return {
    update = function(_, data) ffi.C.MD5_Update(context, data, #data) end,
    final = function(_)
      ffi.C.MD5_Final(digest, context)
      return (ffi.string(digest, 16):gsub(".", function(c) return string.format("%02x", c:byte()) end))
    end,
  }
end

-- Reads the body and drops it; returns its MD5 when that is asked for.
local function swallow(length)
  local md5 = (counters:get("md5") or 0) > 0 and new_md5()
  if length > 0 then
    local socket = ngx.req.socket()
    if not socket then return ngx.exit(400) end
    socket:settimeout(60000)
    local left, rate, began = length, counters:get("rate") or 0, ngx.now()
    local step = rate > 0 and math.min(1048576, math.max(16384, math.floor(rate / 50))) or 1048576
    while left > 0 do
      local data = socket:receiveany(left < step and left or step)
      if not data then return ngx.exit(499) end
      left = left - #data
      if md5 then md5:update(data) end
      if rate > 0 then
        ngx.update_time()
        local ahead = (length - left) / rate - (ngx.now() - began)
        if ahead > 0.002 then ngx.sleep(ahead) end
      end
    end
  end
  return md5 and md5:final()
end

-- Headers that HEAD shows again, as lines.
local function kept(headers)
  local lines = {}
  for name, value in pairs(headers) do
    if type(value) == "string" and (name:find("^x%-amz%-meta%-") or name == "content-type" or name == "content-encoding"
        or name:find("^x%-amz%-server%-side") or name == "x-amz-storage-class") then
      lines[#lines + 1] = name .. ":" .. value
    end
  end
  return table.concat(lines, "\n")
end

local function sums_of(headers)
  local lines = {}
  for _, kind in ipairs(SUMS) do
    local value = headers["x-amz-checksum-" .. kind]
    if value then
      lines[#lines + 1] = "x-amz-checksum-" .. kind .. ":" .. value
      lines[#lines + 1] = "x-amz-checksum-type:FULL_OBJECT"
    end
  end
  return table.concat(lines, "\n")
end

local function show(lines)
  for line in lines:gmatch("[^\n]+") do
    local name, value = line:match("^([^:]+):(.*)$")
    ngx.header[name] = value
  end
end

local function body_of()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  if not body and ngx.req.get_body_file() then
    local file = io.open(ngx.req.get_body_file())
    body = file:read("*a")
    file:close()
  end
  return body or ""
end

local function answer(root, inner)
  local body = HEAD .. "<" .. root .. NAMESPACE .. inner .. "</" .. root .. ">"
  ngx.header["Content-Type"] = "application/xml"
  ngx.header["Content-Length"] = #body
  ngx.print(body)
end

function M.content()
  local v, headers, args = ngx.var, ngx.req.get_headers(0), ngx.req.get_uri_args()
  local method, uri = ngx.req.get_method(), v.uri
  local length = tonumber(headers["content-length"] or "0") or 0
  local bucket, key = uri:match("^/([^/]+)/?(.*)$")
  local ttfb = counters:get("ttfb") or 0
  local taken = exists_already(uri, headers)
  if v.connection_requests == "1" then counters:incr("connections", 1, 0) end
  if method == "PUT" and key ~= "" then
    local md5 = swallow(length)
    if ttfb > 0 then ngx.sleep(ttfb) end
    local id = v.request_id -- a new value at every read
    local etag = '"' .. (md5 or id) .. '"'
    counters:incr("bytes", length, 0)
    if taken and not args.partNumber then return xml_error(412, "PreconditionFailed") end
    if args.partNumber then
      counters:incr("parts", 1, 0)
      if args.uploadId then state:incr("size:" .. args.uploadId, length, 0) end
    else
      counters:incr("puts", 1, 0)
      state:set("object:" .. uri, length .. "\n" .. etag .. "\n" .. kept(headers) .. "\n" .. sums_of(headers))
    end
    ngx.header["ETag"] = etag
    show(sums_of(headers))
    ngx.header["Content-Length"] = 0
    return ngx.exit(200)
  end
  local body = method == "POST" and body_of() or ""
  if ttfb > 0 then ngx.sleep(ttfb) end
  if method == "POST" and args.uploads then
    local id = v.request_id
    counters:incr("creates", 1, 0)
    state:set("upload:" .. id, kept(headers))
    answer("InitiateMultipartUploadResult", "<Bucket>" .. bucket .. "</Bucket><Key>" .. escaped(key)
      .. "</Key><UploadId>" .. id .. "</UploadId>")
  elseif method == "POST" and args.uploadId then
    local meta = state:get("upload:" .. args.uploadId)
    if not meta then return xml_error(404, "NoSuchUpload") end
    if taken then return xml_error(412, "PreconditionFailed") end
    local _, count = body:gsub("<Part>", "")
    local etag = '"' .. args.uploadId .. "-" .. count .. '"'
    local size = headers["x-amz-mp-object-size"] or state:get("size:" .. args.uploadId) or 0
    counters:incr("completes", 1, 0)
    state:set("object:" .. uri, size .. "\n" .. etag .. "\n" .. meta .. "\n" .. sums_of(headers))
    state:delete("upload:" .. args.uploadId)
    local sums = ""
    for _, kind in ipairs(SUMS) do
      local value = headers["x-amz-checksum-" .. kind]
      if value then
        local tag = "Checksum" .. kind:upper()
        sums = "<" .. tag .. ">" .. value .. "</" .. tag .. "><ChecksumType>FULL_OBJECT</ChecksumType>"
      end
    end
    answer("CompleteMultipartUploadResult", "<Location>http://" .. escaped((v.http_host or "") .. uri)
      .. "</Location><Bucket>" .. bucket .. "</Bucket><Key>" .. escaped(key) .. "</Key><ETag>" .. escaped(etag)
      .. "</ETag>" .. sums)
  elseif method == "DELETE" then
    if args.uploadId then state:delete("upload:" .. args.uploadId) else state:delete("object:" .. uri) end
    ngx.status = 204
    return ngx.exit(204)
  elseif key == "" then
    ngx.header["x-amz-bucket-region"] = "us-east-1"
    if method == "HEAD" then ngx.header["Content-Length"] = 0; return ngx.exit(200) end
    if args.location then return answer("LocationConstraint", "us-east-1") end
    if args.uploads then return answer("ListMultipartUploadsResult", "<IsTruncated>false</IsTruncated>") end
    answer("ListBucketResult", "<Name>" .. bucket .. "</Name><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>")
  elseif args.uploadId then
    if not state:get("upload:" .. args.uploadId) then return xml_error(404, "NoSuchUpload") end
    answer("ListPartsResult", "<UploadId>" .. args.uploadId .. "</UploadId><IsTruncated>false</IsTruncated>")
  else -- HEAD, and GET, which has nothing left to give
    local object = state:get("object:" .. uri)
    if not object or method ~= "HEAD" then return xml_error(404, "NoSuchKey") end
    local size, etag, rest = object:match("^(%d+)\n([^\n]*)\n(.*)$")
    show(rest)
    ngx.header["ETag"] = etag
    ngx.header["Last-Modified"] = ngx.http_time(ngx.time())
    ngx.header["Content-Length"] = tonumber(size)
    return ngx.exit(200)
  end
end

function M.control()
  for name, value in pairs(ngx.req.get_uri_args()) do counters:set(name, tonumber(value)) end
  ngx.say("ok")
end

function M.counters()
  local lines = {}
  for _, name in ipairs({ "parts", "bytes", "puts", "creates", "completes", "connections" }) do
    lines[#lines + 1] = string.format('"%s": %.0f', name, counters:get(name) or 0)
  end
  ngx.say("{" .. table.concat(lines, ", ") .. "}")
end

function M.reset()
  state:flush_all()
  counters:flush_all()
  ngx.say("ok")
end

return M
