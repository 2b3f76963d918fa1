-- The HTTP API of the backup product and its hypervisor.
--
-- Every function returns its value, or nil and an error {code, message, retryable}, as the host
-- calls do. Where the API answers with an error, `code` is "api.STATUS".

local BASE = "http://127.0.0.1:8090"

local M = {}

-- Turns an answer that is no 2xx into an error. Busy and broken servers may be asked again.
local function checked(res, err)
  if not res then return nil, err end
  if res.status >= 200 and res.status < 300 then return res end
  local body = res.json()
  local said = body and body.error and body.error.message or res.body:sub(1, 200)
  return nil, {
    code = "api." .. res.status,
    message = "the backup API says " .. res.status .. ": " .. said,
    retryable = res.status == 429 or res.status >= 500,
  }
end

-- Asks up to three times: the API answers 503 when it is busy.
local function call(request)
  request.timeout = request.timeout or 10
  request.retries = 2
  for attempt = 1, 3 do
    local res, err = checked(http.request(request))
    if res or not err.retryable or attempt == 3 then return res, err end
    log.debug("asking the backup API again", {url = request.url, why = err.message})
    sleep(5 * attempt)
  end
end

local function get(path)
  local res, err = call{method = "GET", url = BASE .. path}
  if not res then return nil, err end
  return res.json()
end

-- Names of servers and snapshots as parts of a URL.
local function escaped(text)
  return (text:gsub("[^%w%-%._~]", function(c) return ("%%%02X"):format(c:byte()) end))
end

-- The newest first.
function M.jobs(server)
  local answer, err = get("/v1/jobs?server=" .. escaped(server))
  if not answer then return nil, err end
  table.sort(answer.jobs, function(a, b) return a.age_seconds < b.age_seconds end)
  return answer.jobs
end

function M.restore_points(server)
  local answer, err = get("/v1/servers/" .. escaped(server) .. "/restore-points")
  if not answer then return nil, err end
  table.sort(answer.restore_points, function(a, b) return a.age_seconds < b.age_seconds end)
  return answer.restore_points
end

-- {name = state}
function M.services(server)
  local answer, err = get("/v1/servers/" .. escaped(server) .. "/services")
  if not answer then return nil, err end
  local states = {}
  for _, service in ipairs(answer.services) do states[service.name] = service.state end
  return states
end

-- The id of the server's snapshot with this name, false when there is none, nil on an error.
function M.find_snapshot(server, name)
  local answer, err =
    get("/v1/snapshots?name=" .. escaped(name) .. "&server=" .. escaped(server))
  if not answer then return nil, err end
  return answer.snapshots[1] and answer.snapshots[1].id or false
end

-- Returns the id of the new snapshot. The API answers a name it knows with the same snapshot.
function M.create_snapshot(server, name)
  local res, err = call{
    method = "POST", url = BASE .. "/v1/snapshots", json = {server = server, name = name},
    timeout = 120,
  }
  if not res then return nil, err end
  return res.json().id
end

function M.revert_snapshot(id)
  return call{
    method = "POST", url = BASE .. "/v1/snapshots/" .. escaped(id) .. "/revert", timeout = 120,
  }
end

-- A snapshot that is gone already is what was wanted.
function M.delete_snapshot(id)
  local res, err = call{method = "DELETE", url = BASE .. "/v1/snapshots/" .. escaped(id)}
  if not res and err.code == "api.404" then return true end
  return res and true, err
end

return M
