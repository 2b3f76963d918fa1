/// Position of a client in ``ControlState/clients``; never reused.
package struct ClientID: Hashable, Sendable, Comparable {
  package let index: Int32
  package init(_ index: Int) { self.index = Int32(index) }
  package static func < (left: ClientID, right: ClientID) -> Bool { left.index < right.index }
}

/// Position of a server in ``ControlState/servers``; never reused.
package struct ServerID: Hashable, Sendable, Comparable {
  package let index: Int32
  package init(_ index: Int) { self.index = Int32(index) }
  package static func < (left: ServerID, right: ServerID) -> Bool { left.index < right.index }
}

/// Position of a campaign in ``ControlState/campaigns``; never reused.
package struct CampaignID: Hashable, Sendable, Comparable {
  package let index: Int32
  package init(_ index: Int) { self.index = Int32(index) }
  package static func < (left: CampaignID, right: CampaignID) -> Bool { left.index < right.index }
}

/// One run: its campaign, and its position among the campaign's runs.
package struct RunRef: Hashable, Sendable, Comparable {
  package let campaign: CampaignID
  package let index: Int32

  package init(campaign: CampaignID, index: Int) {
    self.campaign = campaign
    self.index = Int32(index)
  }

  package static func < (left: RunRef, right: RunRef) -> Bool {
    (left.campaign, left.index) < (right.campaign, right.index)
  }
}

extension Array {
  subscript(id: ClientID) -> Element where Element == Client {
    @inline(__always) get { self[Int(id.index)] }
    @inline(__always) _modify { yield &self[Int(id.index)] }
  }

  subscript(id: ServerID) -> Element where Element == Server {
    @inline(__always) get { self[Int(id.index)] }
    @inline(__always) _modify { yield &self[Int(id.index)] }
  }

  subscript(id: CampaignID) -> Element where Element == Campaign {
    @inline(__always) get { self[Int(id.index)] }
    @inline(__always) _modify { yield &self[Int(id.index)] }
  }
}
