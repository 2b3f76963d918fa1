extension AgentMachineTableTests {
  /// A state, then what each input does in it. “write” means an entry of the journal; what depends
  /// on it follows when it is on disk.
  static let table = """
    closed
      session opened: send hello(highest 0, no command, 0 reports)
      session closed: -
      welcome: -
      welcome with stop 13: -
      command 5: -
      command 7 again: -
      command 11: -
      cancel 12 of 7: -
      cancel 6 of 5: -
      stop 13: -
      report 7/1 acknowledged: -
      on disk: -
      driver will change 7: -
      driver progress 7: -
      driver finished 7: -
      driver finished 99: -
    opening
      session opened: send hello(highest 0, no command, 0 reports)
      session closed: -
      welcome: -
      welcome with stop 13: write stop 13
      command 5: end session: the daemon sent a message before its welcome
      command 7 again: end session: the daemon sent a message before its welcome
      command 11: end session: the daemon sent a message before its welcome
      cancel 12 of 7: end session: the daemon sent a message before its welcome
      cancel 6 of 5: end session: the daemon sent a message before its welcome
      stop 13: end session: the daemon sent a message before its welcome
      report 7/1 acknowledged: end session: the daemon sent a message before its welcome
      on disk: -
      driver will change 7: -
      driver progress 7: -
      driver finished 7: -
      driver finished 99: -
    live
      session opened: send hello(highest 0, no command, 0 reports)
      session closed: -
      welcome: end session: the daemon sent a second welcome
      welcome with stop 13: end session: the daemon sent a second welcome
      command 5: write accepted 5, write begun 5
      command 7 again: write accepted 7, write begun 7
      command 11: write accepted 11, write begun 11
      cancel 12 of 7: write cancel 12 of 7
      cancel 6 of 5: write cancel 6 of 5
      stop 13: write stop 13
      report 7/1 acknowledged: -
      on disk: -
      driver will change 7: -
      driver progress 7: -
      driver finished 7: -
      driver finished 99: -
    7 not on disk
      session opened: -
      session closed: -
      welcome: end session: the daemon sent a second welcome
      welcome with stop 13: end session: the daemon sent a second welcome
      command 5: -
      command 7 again: -
      command 11: write accepted 11
      cancel 12 of 7: write cancel 12 of 7, write result 7/1 cancelled
      cancel 6 of 5: -
      stop 13: write stop 13, write result 7/1 cancelled
      report 7/1 acknowledged: -
      on disk: send accepted 7, start UPDATE 7
      driver will change 7: -
      driver progress 7: -
      driver finished 7: -
      driver finished 99: -
    7 updating
      session opened: send hello(highest 7, 7 begun, 0 reports)
      session closed: -
      welcome: end session: the daemon sent a second welcome
      welcome with stop 13: end session: the daemon sent a second welcome
      command 5: send stale 5 (7 begun)
      command 7 again: send accepted 7 (7 begun)
      command 11: write accepted 11
      cancel 12 of 7: write cancel 12 of 7
      cancel 6 of 5: send stale 6 (7 begun)
      stop 13: write stop 13
      report 7/1 acknowledged: -
      on disk: -
      driver will change 7: write changed 7, write progress 7/1 0% changed
      driver progress 7: write progress 7/1 40%
      driver finished 7: write result 7/1 succeeded
      driver finished 99: -
    7 downloading
      session opened: send hello(highest 7, 7 begun, 0 reports)
      session closed: -
      welcome: end session: the daemon sent a second welcome
      welcome with stop 13: end session: the daemon sent a second welcome
      command 5: send stale 5 (7 begun)
      command 7 again: send accepted 7 (7 begun)
      command 11: write accepted 11
      cancel 12 of 7: write cancel 12 of 7, cancel driver 7
      cancel 6 of 5: send stale 6 (7 begun)
      stop 13: write stop 13, cancel driver 7
      report 7/1 acknowledged: -
      on disk: -
      driver will change 7: write changed 7, write progress 7/1 0% changed
      driver progress 7: write progress 7/1 40%
      driver finished 7: write result 7/1 succeeded
      driver finished 99: -
    7 updating, 9 waits
      session opened: send hello(highest 9, 9 accepted, 0 reports)
      session closed: -
      welcome: end session: the daemon sent a second welcome
      welcome with stop 13: end session: the daemon sent a second welcome
      command 5: send stale 5 (9 accepted)
      command 7 again: send accepted 7 (7 begun)
      command 11: write accepted 11
      cancel 12 of 7: write cancel 12 of 7
      cancel 6 of 5: send stale 6 (9 accepted)
      stop 13: write stop 13, write result 9/1 cancelled
      report 7/1 acknowledged: -
      on disk: -
      driver will change 7: write changed 7, write progress 7/1 0% changed
      driver progress 7: write progress 7/1 40%
      driver finished 7: write result 7/1 succeeded, write begun 9
      driver finished 99: -
    reboot 7 waits for a session
      session opened: send hello(highest 7, 7 begun, 0 reports)
      session closed: -
      welcome: -
      welcome with stop 13: -
      command 5: -
      command 7 again: -
      command 11: -
      cancel 12 of 7: -
      cancel 6 of 5: -
      stop 13: -
      report 7/1 acknowledged: -
      on disk: -
      driver will change 7: -
      driver progress 7: -
      driver finished 7: -
      driver finished 99: -
    reboot 7 waits for a welcome
      session opened: send hello(highest 7, 7 begun, 0 reports)
      session closed: -
      welcome: start REBOOT 7
      welcome with stop 13: write stop 13, write result 7/1 cancelled
      command 5: end session: the daemon sent a message before its welcome
      command 7 again: end session: the daemon sent a message before its welcome
      command 11: end session: the daemon sent a message before its welcome
      cancel 12 of 7: end session: the daemon sent a message before its welcome
      cancel 6 of 5: end session: the daemon sent a message before its welcome
      stop 13: end session: the daemon sent a message before its welcome
      report 7/1 acknowledged: end session: the daemon sent a message before its welcome
      on disk: -
      driver will change 7: -
      driver progress 7: -
      driver finished 7: -
      driver finished 99: -
    7 done
      session opened: send hello(highest 7, 7 done, 1 reports)
      session closed: -
      welcome: end session: the daemon sent a second welcome
      welcome with stop 13: end session: the daemon sent a second welcome
      command 5: send stale 5 (7 done)
      command 7 again: send accepted 7 (7 done)
      command 11: write accepted 11, write begun 11
      cancel 12 of 7: write cancel 12 of 7
      cancel 6 of 5: send stale 6 (7 done)
      stop 13: write stop 13
      report 7/1 acknowledged: write acknowledged 7/1
      on disk: -
      driver will change 7: -
      driver progress 7: -
      driver finished 7: -
      driver finished 99: -

    """
}
