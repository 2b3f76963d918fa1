import AtlasControl
import AtlasModel
import Dispatch
import Synchronization

/// Questions to agents that wait for their answers. They are asked beside the control machine: they
/// change nothing, nobody decides by them, and one that gets lost is asked again.
final class ProbeDesk: Sendable {
  private struct Question {
    var session: SessionID
    var asker: CheckedContinuation<ServerFacts?, Never>
  }

  private struct State {
    var questions: [UInt64: Question] = [:]
    var next: UInt64 = 0
  }

  private let state = Mutex(State())

  /// Asks through `send`, and waits for the answer; nil when none came within this real time.
  func ask(
    _ session: SessionID, within patience: Duration, send: (UInt64) -> Void
  ) async -> ServerFacts? {
    await withCheckedContinuation { asker in
      let number = state.withLock { state in
        state.next += 1
        state.questions[state.next] = Question(session: session, asker: asker)
        return state.next
      }
      send(number)
      let wait = DispatchTimeInterval.milliseconds(Int(clamping: patience.milliseconds))
      DispatchQueue.global().asyncAfter(deadline: .now() + wait) { [weak self] in
        self?.end(number, from: session, with: nil)
      }
    }
  }

  /// An agent answers. What nobody asked it, or asked another, is dropped.
  func answered(_ answer: ProbeAnswer, from session: SessionID) {
    end(answer.number, from: session, with: answer.facts)
  }

  private func end(_ number: UInt64, from session: SessionID, with facts: ServerFacts?) {
    let question: Question? = state.withLock { state in
      guard state.questions[number]?.session == session else { return nil }
      return state.questions.removeValue(forKey: number)
    }
    question?.asker.resume(returning: facts)
  }
}
