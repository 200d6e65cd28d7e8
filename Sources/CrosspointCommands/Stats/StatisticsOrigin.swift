// The one place that decides where `stats` reads from.

import Node

/// Opens the source of statistics.
enum StatisticsOrigin {
    /// The source that the options lead to.
    static func open(_ control: ControlOptions) -> any StatisticsSource { DaemonStatistics(client: control.client) }
}
