-- Are the server's services as they were before the update?

local backup_api = require "lib.backup_api"

local M = {}

local function key(run) return "services:" .. run.server end

-- Remembers what runs now. A repeat after a crash keeps what was remembered first.
function M.remember(run)
  local states, err = backup_api.services(run.server)
  if not states then return nil, err end
  local running = json.array{}
  for name, state in pairs(states) do
    if state == "running" then running[#running + 1] = name end
  end
  table.sort(running)
  kv.cas(key(run), nil, running)
  return running
end

function M.forget(run) return kv.delete(key(run)) end

-- Names from `wanted` that do not run, as one text; nil when all do.
local function missing(states, wanted)
  local down = {}
  for _, name in ipairs(wanted) do
    if states[name] ~= "running" then down[#down + 1] = name end
  end
  return #down > 0 and table.concat(down, ", ") or nil
end

-- Waits until everything that ran before, and everything in `needed`, runs.
-- Returns true, or nil and an error that names what is down.
function M.wait(run, needed, timeout)
  local wanted = {}
  for _, name in ipairs(kv.get(key(run)) or {}) do wanted[#wanted + 1] = name end
  for _, name in ipairs(needed or {}) do wanted[#wanted + 1] = name end
  local down, unknown
  local good, err = wait_until{
    every = 15, timeout = timeout or 300, what = "the services of " .. run.server,
    fn = function()
      local states, problem = backup_api.services(run.server)
      unknown = problem
      down = states and missing(states, wanted)
      return states and not down
    end,
  }
  if good then return true end
  if unknown then return nil, unknown end
  err.message = err.message .. "; not running: " .. (down or "?")
  return nil, err
end

return M
