import Glibc

/// Which seed each job plays, so that a program that stops itself in the middle of one says which
/// it was. What is written here is read by a signal handler, which may do next to nothing: fixed
/// memory, no locks, no texts but static ones.
enum PlayedSeeds {
  /// Jobs that may play at the same time.
  static let jobs = 64

  private struct Seat {
    var seed: UInt64 = 0
    var thread = pthread_t()
    var isTaken = false
  }

  private nonisolated(unsafe) static let seats = memory(of: Seat(), count: jobs)
  /// What happened before on each signal; it happens after the seeds are told.
  private nonisolated(unsafe) static let before = memory(of: sigaction(), count: 65)
  private nonisolated(unsafe) static let digits = memory(of: UInt8(0), count: 20)

  private static func memory<Value>(of value: Value, count: Int) -> UnsafeMutablePointer<Value> {
    let memory = UnsafeMutablePointer<Value>.allocate(capacity: count)
    memory.initialize(repeating: value, count: count)
    return memory
  }

  /// Plays a seed as one of the jobs, and has it told if the program stops itself meanwhile.
  static func play<Outcome>(_ seed: UInt64, job: Int, _ body: () -> Outcome) -> Outcome {
    precondition(job < jobs, "more jobs than there are seats")
    seats[job] = Seat(seed: seed, thread: pthread_self(), isTaken: true)
    defer { seats[job].isTaken = false }
    return body()
  }

  /// From now on whatever stops the program tells the seeds first.
  static func watch() {
    _ = (seats, before, digits)
    for signal in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { PlayedSeeds.tell($0) }
      sigaction(signal, &action, &before[Int(signal)])
    }
  }

  /// In a signal handler. What would have happened without it happens next.
  private static func tell(_ signal: Int32) {
    let thread = pthread_self()
    for job in 0..<jobs where seats[job].isTaken {
      let isHere = pthread_equal(seats[job].thread, thread) != 0
      write(isHere ? "seed " : "  beside it: seed ")
      write(seats[job].seed)
      write(isHere ? ": the program has stopped itself\n" : "\n")
    }
    sigaction(signal, &before[Int(signal)], nil)
    raise(signal)
  }

  private static func write(_ text: StaticString) {
    _ = Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
  }

  private static func write(_ number: UInt64) {
    var rest = number
    var place = 20
    repeat {
      place -= 1
      digits[place] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    } while rest > 0
    _ = Glibc.write(STDERR_FILENO, digits + place, 20 - place)
  }
}
