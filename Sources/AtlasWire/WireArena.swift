internal import CProtobufC

/// The memory of one encode or decode: handed out front to back, given back all at once.
///
/// Both directions build a tree of C structs that lives for microseconds, so single frees would be
/// wasted work and the place where leaks come from. The owner is ``WireMemory``; an arena is a view
/// that must not outlive it.
package struct WireArena {
  fileprivate let state: UnsafeMutablePointer<State>

  /// A block of memory, linked to the one before it; what it hands out follows this header.
  fileprivate struct Block {
    var previous: UnsafeMutablePointer<Block>?
  }

  /// Lives at the front of the first block. libprotobuf-c gets its address.
  fileprivate struct State {
    var allocator = ProtobufCAllocator()
    var newest: UnsafeMutablePointer<Block>?
    var next: UnsafeMutableRawPointer
    var end: UnsafeMutableRawPointer
    var left: Int
    var exhausted = false
  }

  /// Every allocation starts at a multiple of this: the C structs hold pointers, 64-bit numbers and
  /// nothing that needs more.
  private static let alignment = 8

  /// The first block: the state and the structs of an ordinary message fit without a second one.
  fileprivate static let firstBlockBytes = 4096

  /// Blocks double up to this size, so that a big message needs few and a small one wastes little.
  private static let largestBlockBytes = 256 * 1024

  /// `count` bytes, or nil when the budget does not allow them.
  func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
    // A size so large that rounding it up overflows becomes negative, which is refused as well.
    let size = (count &+ (Self.alignment - 1)) & ~(Self.alignment - 1)
    guard charge(size) else { return nil }
    if state.pointee.end - state.pointee.next < size { addBlock(for: size) }
    let result = state.pointee.next
    state.pointee.next = result + size
    return result
  }

  /// Takes `count` bytes out of the budget without handing out memory: for copies made elsewhere
  /// from what is here. False when the budget does not allow them.
  func charge(_ count: Int) -> Bool {
    guard count >= 0, count <= state.pointee.left else {
      state.pointee.exhausted = true
      return false
    }
    state.pointee.left -= count
    return true
  }

  /// Whether an allocation was ever refused.
  var isExhausted: Bool { state.pointee.exhausted }

  /// This arena, as libprotobuf-c takes it. Valid as long as the arena's owner.
  var allocator: UnsafeMutablePointer<ProtobufCAllocator> {
    UnsafeMutableRawPointer(state).assumingMemoryBound(to: ProtobufCAllocator.self)
  }

  private func addBlock(for size: Int) {
    let used = state.pointee.end - UnsafeMutableRawPointer(state.pointee.newest ?? firstBlock)
    let wanted = max(min(used * 2, Self.largestBlockBytes), size + MemoryLayout<Block>.stride)
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: wanted, alignment: Self.alignment)
    let block = memory.bindMemory(to: Block.self, capacity: 1)
    block.initialize(to: Block(previous: state.pointee.newest))
    state.pointee.newest = block
    state.pointee.next = memory + MemoryLayout<Block>.stride
    state.pointee.end = memory + wanted
  }

  private var firstBlock: UnsafeMutablePointer<Block> {
    UnsafeMutableRawPointer(state).assumingMemoryBound(to: Block.self)
  }
}

/// Owns an arena's memory and frees it, on every way out.
struct WireMemory: ~Copyable {
  let arena: WireArena

  /// - Parameter budget: the bytes that may be handed out; nil for no bound (what this program
  ///   encodes is its own).
  init(budget: Int? = nil) {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: WireArena.firstBlockBytes, alignment: 16)
    let state = memory.bindMemory(to: WireArena.State.self, capacity: 1)
    let start = memory + (MemoryLayout<WireArena.State>.size + 15) & ~15
    state.initialize(
      to: WireArena.State(
        next: start, end: memory + WireArena.firstBlockBytes, left: budget ?? .max))
    state.pointee.allocator = ProtobufCAllocator(
      alloc: { data, count in
        guard let data else { return nil }
        return WireArena(state: data.assumingMemoryBound(to: WireArena.State.self)).allocate(count)
      },
      free: { _, _ in },
      allocator_data: memory)
    arena = WireArena(state: state)
  }

  deinit {
    var block = arena.state.pointee.newest
    while let current = block {
      block = current.pointee.previous
      UnsafeMutableRawPointer(current).deallocate()
    }
    UnsafeMutableRawPointer(arena.state).deallocate()
  }
}
