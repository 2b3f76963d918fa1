import CAtlasLua

#if canImport(Glibc)
  import Glibc
#endif

/// A few threads on which Lua runs, so that a long slice never holds a thread of Swift's pool.
///
/// A task that prefers it runs everything there that belongs to no other executor, the code of
/// actors included. So a host call that needs nobody else costs no change of thread.
package final class LuaExecutor: TaskExecutor {
  private let queue: JobQueue

  /// - Parameter threads: At least 1. Two let one slice be long without stopping the others.
  package init(threads: Int = 2) {
    precondition(threads >= 1, "an executor needs a thread")
    queue = JobQueue()
    for _ in 0..<threads { queue.startThread() }
  }

  deinit { queue.stop() }

  package func enqueue(_ job: consuming ExecutorJob) {
    queue.append(UnownedJob(job), asUnownedTaskExecutor())
  }
}

/// Jobs that wait for a thread, first come first served.
///
/// Sendable although it has state of its own: everything but the two pointers is touched only with
/// `mutex` held, and those are set once.
private final class JobQueue: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [(UnownedJob, UnownedTaskExecutor)] = []
  /// Jobs before this index are done; they are dropped when they are many.
  private var next = 0
  private var stopped = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(wake, nil)
  }

  deinit {
    pthread_cond_destroy(wake)
    pthread_mutex_destroy(mutex)
    wake.deallocate()
    mutex.deallocate()
  }

  func append(_ job: UnownedJob, _ executor: UnownedTaskExecutor) {
    pthread_mutex_lock(mutex)
    jobs.append((job, executor))
    pthread_cond_signal(wake)
    pthread_mutex_unlock(mutex)
  }

  func stop() {
    pthread_mutex_lock(mutex)
    stopped = true
    pthread_cond_broadcast(wake)
    pthread_mutex_unlock(mutex)
  }

  /// The thread keeps the queue alive, and nobody waits for its end: the executor may go away on
  /// one of its own threads.
  func startThread() {
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { context in
        atlas_lua_name_thread()
        Unmanaged<JobQueue>.fromOpaque(context!).takeRetainedValue().work()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    precondition(status == 0, "the system gives no more threads")
    pthread_detach(thread)
  }

  private func work() {
    while let (job, executor) = take() { job.runSynchronously(on: executor) }
  }

  /// Waits for a job; nil when there will be none.
  private func take() -> (UnownedJob, UnownedTaskExecutor)? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while next == jobs.count {
      if stopped { return nil }
      pthread_cond_wait(wake, mutex)
    }
    let job = jobs[next]
    next += 1
    if next == jobs.count {
      jobs.removeAll(keepingCapacity: jobs.count <= 1_024)
      next = 0
    } else if next >= 1_024 {
      jobs.removeFirst(next)
      next = 0
    }
    return job
  }
}
