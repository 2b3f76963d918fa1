-- Turning what the backup product says into facts. The product tells ages, facts are times.

local M = {}

-- The newest of the jobs (newest first) that ended well.
function M.newest_good(jobs)
  for _, job in ipairs(jobs) do
    if job.state == "ended" and job.result == "success" then return job end
  end
end

function M.running(jobs)
  for _, job in ipairs(jobs) do
    if job.state == "running" then return job end
  end
end

-- Records the backup that a job made. `jobs` are all jobs of the server, newest first: for clients
-- whose backups must come from the newest one.
function M.record(job, source, jobs)
  local now = time.now()
  local function ago(age) return age and now - age end
  backup{
    source = source .. "/" .. job.id,
    taken_at = ago(job.age_seconds),
    verified_at = ago(job.verified_age_seconds),
    restore_tested_at = ago(job.restore_tested_age_seconds),
    last_job_at = jobs and jobs[1] and ago(jobs[1].age_seconds),
  }
end

-- "3 h 5 min"
function M.age_text(age)
  return ("%d h %d min"):format(age // 3600, age % 3600 // 60)
end

return M
