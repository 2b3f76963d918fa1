-- ROM: a manufacturer that runs day and night. The snapshots of its mail and database servers
-- stay for a day, for the morning shift to look first; a note says which.

local backup_api = require "lib.backup_api"
local services = require "lib.services"

local KEPT = {MX = true, SQL = true}
local DAY = 86400

local function keeps(run)
  for _, role in ipairs(run.roles) do
    if KEPT[role] then return true end
  end
end

-- Removes snapshots that were kept for this server and are due.
local function remove_due(server)
  local name = "kept:" .. server
  local kept = kv.get(name) or {}
  local rest = json.array{}
  for _, entry in ipairs(kept) do
    if time.now() - entry.since < DAY or not backup_api.delete_snapshot(entry.id) then
      rest[#rest + 1] = entry
    end
  end
  return rest
end

local hooks = {api = 1}

function hooks.finalize(run)
  services.forget(run)
  local rest = remove_due(run.server)
  local id = run.snapshot_id
  if id and keeps(run) then
    local known = false
    for _, entry in ipairs(rest) do known = known or entry.id == id end
    if not known then rest[#rest + 1] = {id = id, since = time.now()} end
    log.info("the snapshot stays for a day", {snapshot = id, server = run.server})
  elseif id then
    local gone, err = backup_api.delete_snapshot(id)
    if not gone then fail(err.message, {retryable = err.retryable}) end
  end
  kv.set("kept:" .. run.server, rest)
  ok(#rest .. " snapshots kept")
end

return hooks
