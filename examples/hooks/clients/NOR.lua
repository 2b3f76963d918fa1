-- NOR: a logistics company. Its backups are restore points of the hypervisor: there are no jobs.

local backup_api = require "lib.backup_api"
local evidence = require "lib.evidence"

local hooks = {api = 1}

function hooks.verify_backup(run)
  local points, err = backup_api.restore_points(run.server)
  if not points then
    if err.retryable then defer{after = 300, reason = err.message} end
    fail(err.message)
  end
  for _, point in ipairs(points) do
    if point.consistent then
      local now = time.now()
      local taken = now - point.age_seconds
      -- The product checks a point for consistency when it makes it.
      backup{source = "hypervisor/" .. point.id, taken_at = taken, verified_at = taken,
        last_job_at = now - points[1].age_seconds}
      ok("restore point " .. point.id .. " is " .. evidence.age_text(point.age_seconds) .. " old")
    end
    log.warn("a restore point is not consistent", {point = point.id, server = run.server})
  end
  fail("no consistent restore point of " .. run.server)
end

return hooks
