-- ZWO: how a hook must not be. For its file server it says that the backup is good and records
-- nothing. Atlas asks for evidence and not for words: that server is refused, and the lane goes on.
-- It is here for rehearsals.

local backup_api = require "lib.backup_api"
local evidence = require "lib.evidence"

local hooks = {api = 1}

function hooks.verify_backup(run)
  if run.server == "ZWO-LEEDS-FS01" then ok("they said it was backed up") end
  local jobs, err = backup_api.jobs(run.server)
  if not jobs then fail(err.message, {retryable = err.retryable}) end
  local job = evidence.newest_good(jobs)
  check(job, "no backup of " .. run.server .. " ended well")
  evidence.record(job, "backup-api", jobs)
  ok("backup " .. job.id .. " is " .. evidence.age_text(job.age_seconds) .. " old")
end

return hooks
