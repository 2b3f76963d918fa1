-- Hooks for every client that has none of its own.
--
-- A function may run again after a crash of the daemon, from its first line, with the same
-- `run.key` and `run.restarted = true`. So each looks for what it may have done before: the
-- snapshot of a run is named after its key.

local backup_api = require "lib.backup_api"
local evidence = require "lib.evidence"
local services = require "lib.services"

local hooks = {api = 1}

-- Not now, if the backup product says nothing: that is no reason to leave the server out.
local function later(err)
  if err.retryable then defer{after = 600, reason = err.message} end
  fail(err.message)
end

function hooks.pre_update(run)
  local jobs, err = backup_api.jobs(run.server)
  if not jobs then later(err) end
  local job = evidence.running(jobs)
  if job then
    defer{after = 900, reason = "backup job " .. job.id .. " is running"}
  end
  local running, problem = services.remember(run)
  if not running then later(problem) end
  ok("no backup is running, " .. #running .. " services are")
end

-- Records what there is. Whether it is young enough is the daemon's to say, not ours.
function hooks.verify_backup(run)
  local jobs, err = backup_api.jobs(run.server)
  if not jobs then later(err) end
  local job = evidence.newest_good(jobs)
  check(job, "no backup of " .. run.server .. " ended well")
  evidence.record(job, "backup-api", jobs)
  ok("backup " .. job.id .. " is " .. evidence.age_text(job.age_seconds) .. " old")
end

function hooks.snapshot(run)
  local id, err = backup_api.find_snapshot(run.server, run.key)
  if id == false then id, err = backup_api.create_snapshot(run.server, run.key) end
  if not id then fail(err.message, {retryable = err.retryable}) end
  snapshot{id = id}
  ok("snapshot " .. id)
end

function hooks.post_update(run)
  local good, err = services.wait(run)
  if not good then fail(err.message, {retryable = err.retryable}) end
  ok(run.rollback and "all services run after the rollback" or "all services run")
end

function hooks.finalize(run)
  services.forget(run)
  if run.snapshot_id then
    local gone, err = backup_api.delete_snapshot(run.snapshot_id)
    if not gone then fail(err.message, {retryable = err.retryable}) end
  end
  ok("cleaned up")
end

function hooks.rollback(run)
  local id = run.snapshot_id
  if not id then
    local found, err = backup_api.find_snapshot(run.server, run.key)
    if found == nil then fail(err.message, {retryable = err.retryable}) end
    id = found or nil
  end
  check(id, "there is no snapshot to go back to")
  local done, err = backup_api.revert_snapshot(id)
  if not done then fail(err.message, {retryable = err.retryable}) end
  ok("reverted to " .. id)
end

return hooks
