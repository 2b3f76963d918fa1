-- LAA: our own servers. A backup counts only when a restore was tried within the last month, and
-- domain controllers must answer before the next server is touched.

local backup_api = require "lib.backup_api"
local evidence = require "lib.evidence"
local services = require "lib.services"

local MONTH = 30 * 86400
local NEEDED = {DC = {"dns", "kdc", "netlogon", "ntds"}}

local function needed(run)
  local names = {}
  for _, role in ipairs(run.roles) do
    for _, name in ipairs(NEEDED[role] or {}) do names[#names + 1] = name end
  end
  return names
end

local hooks = {api = 1}

function hooks.verify_backup(run)
  local jobs, err = backup_api.jobs(run.server)
  if not jobs then
    if err.retryable then defer{after = 600, reason = err.message} end
    fail(err.message)
  end
  local job = evidence.newest_good(jobs)
  check(job, "no backup of " .. run.server .. " ended well")
  local tested = job.restore_tested_age_seconds
  check(tested and tested <= MONTH, "no restore of " .. run.server .. " was tried in 30 days")
  evidence.record(job, "laa-vault", jobs)
  ok("backup " .. job.id .. " is " .. evidence.age_text(job.age_seconds)
    .. " old, its restore was tried " .. evidence.age_text(tested) .. " ago")
end

function hooks.post_update(run)
  -- Two looks, half a minute apart: directory services start, stop and start again after an
  -- update that changed the schema.
  for look = 1, 2 do
    local good, err = services.wait(run, needed(run), 600)
    if not good then fail(err.message, {retryable = err.retryable}) end
    if look == 1 then sleep(30) end
  end
  ok("all services run, and stay")
end

return hooks
