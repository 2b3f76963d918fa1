import AtlasControl
import AtlasModel
import HeapModule

/// What is still to happen, in order of time; what is due at the same moment comes in the order in
/// which it was planned.
struct Agenda {
  private struct Entry: Comparable {
    let at: Instant
    let number: UInt64
    /// Place in ``happenings``.
    let place: Int32

    static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }

    static func < (left: Entry, right: Entry) -> Bool {
      left.at != right.at ? left.at < right.at : left.number < right.number
    }
  }

  private var heap = Heap<Entry>()
  /// Beside the heap, which moves its entries about: a happening is large.
  private var happenings: [Happening?] = []
  private var free: [Int32] = []
  private var nextNumber: UInt64 = 0

  mutating func plan(_ happening: Happening, at instant: Instant) {
    let place: Int32
    if let free = free.popLast() {
      place = free
      happenings[Int(place)] = happening
    } else {
      place = Int32(happenings.count)
      happenings.append(happening)
    }
    heap.insert(Entry(at: instant, number: nextNumber, place: place))
    nextNumber += 1
  }

  mutating func takeNext() -> (at: Instant, Happening)? {
    guard let entry = heap.popMin(), let happening = happenings[Int(entry.place)] else {
      return nil
    }
    happenings[Int(entry.place)] = nil
    free.append(entry.place)
    return (entry.at, happening)
  }
}

/// Something that happens in the simulated world.
enum Happening {
  // The daemon. Everything about a life of it that is over is ignored.
  case daemonStarts
  case commitEnds(life: Int)
  case timerFires(life: Int, number: Int)
  case hookEnds(life: Int, HookRun)
  case windowsAreKnown(life: Int, ExpandedWindows)
  case secondDaemonStarts
  case daemonIsKilled(life: Int)
  // The network.
  case arrives(link: Int, Parcel)
  case linkBreaks(Int, End)
  // Servers and their agents.
  case agentStarts(machine: Int, life: Int)
  case agentCrashes(machine: Int, life: Int)
  case agentConnects(machine: Int, life: Int)
  case journalIsWritten(machine: Int, life: Int, number: UInt64)
  case driverGoesOn(machine: Int, job: Int)
  case boots(machine: Int)
  // People and faults.
  case person(PersonAct)
  case callerGivesUp(call: Int, attempt: Int)
  case fault(FaultKind)
  case spell(Spell)
  /// Of the script, by its place there.
  case cue(Int)
  case databaseIsCopied
  case cloneIsRemoved(machine: Int)
  case stage(Stage)

  enum End {
    case agent
    case daemon
  }
}

/// What a person does.
enum PersonAct {
  /// Makes and starts a campaign of the plan, by its place there.
  case makesCampaign(Int)
  /// Makes a rollback campaign of the plan, by its place there.
  case rollsBack(Int)
  /// Something that the seed draws when the time comes.
  case intervenes
  /// Changes a setting that the seed has.
  case configures
  case importsAgain
  case lowersSlots(ClientName)
  case closesWindow(ClientName)
  /// Opens a client's windows, and closes them before that has come to be.
  case changesMind(ClientName)
  /// Takes back what was done before.
  case changes(Change, method: String)
}

/// The parts of a simulated weekend.
enum Stage {
  /// A scenario is over; seeds go through the others.
  case storyEnds
  case faultsEnd
  case progressIsJudged
  case settlingIsJudged
  case peopleDecide
  case endIsJudged
  case snapshotsAreJudged
}

/// A message on its way.
enum Parcel {
  case toDaemon(AgentMessage)
  case toAgent(DaemonMessage)
}
