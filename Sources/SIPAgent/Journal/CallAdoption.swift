// Going on after a restart of the daemon.

import AgentSupport
import Logging
import RTPWire
import Routing
import SIPCore

/// Takes up the calls of the journal, and takes out of the fast path what none of them owns.
@AgentActor
struct CallAdoption {
    let context: CallContext
    let routing: any SessionRouteControl

    /// To be called once, before anybody can call.
    func run() async {
        let records = context.journal.read()
        _ = records
    }
}
