//! The table of workloads: their names, what the C program is told, and the bar for each.

/// What a workload's main number is, and which direction is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Measure {
    /// Messages (or connections) per second.
    Rate,
    /// Median microseconds of a round trip.
    RoundTrip,
    /// Bytes of resident memory per connection.
    Memory,
}

/// One workload.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) measure: Measure,
    /// The bar: at least this ratio for a rate, at most this for the others.
    pub(crate) goal: f64,
    /// Needs a window of seconds to say anything.
    pub(crate) long: bool,
    /// The least window in milliseconds.
    pub(crate) least_window_ms: u64,
}

impl Workload {
    fn new(name: impl Into<String>, arguments: &str, measure: Measure, goal: f64) -> Self {
        Self {
            name: name.into(),
            arguments: arguments.split_whitespace().map(String::from).collect(),
            measure,
            goal,
            long: false,
            least_window_ms: 0,
        }
    }

    fn lasting(mut self, window_ms: u64) -> Self {
        self.long = true;
        self.least_window_ms = window_ms;
        self
    }
}

const SIZES: [(&str, u32); 4] = [("1 B", 1), ("64 B", 64), ("1 KiB", 1024), ("64 KiB", 65_536)];

/// Every workload, in the order of the report.
pub(crate) fn all() -> Vec<Workload> {
    let mut all = round_trips();
    all.extend(streams());
    all.extend(several_peers());
    all
}

fn round_trips() -> Vec<Workload> {
    let mut all = Vec::new();
    for transport in ["tcp", "ipc", "inproc"] {
        for (label, size) in SIZES {
            let goal = match (transport, size) {
                ("inproc", _) => 0.1,
                (_, 1) => 0.35,
                _ => 1.0,
            };
            all.push(Workload::new(
                format!("REQ/REP {transport} {label}"),
                &format!("latency transport={transport} size={size}"),
                Measure::RoundTrip,
                goal,
            ));
        }
    }
    for (ms, window_ms) in [(1, 1000), (10, 2000), (200, 4000)] {
        all.push(
            Workload::new(
                format!("REQ/REP tcp 1 B, one every {ms} ms"),
                &format!("latency size=1 interval_us={}", ms * 1000),
                Measure::RoundTrip,
                1.0,
            )
            .lasting(window_ms),
        );
    }
    all.push(Workload::new(
        "REQ/REP tcp 1 B, both cores busy",
        "latency size=1 busy=2",
        Measure::RoundTrip,
        1.0,
    ));
    all
}

fn streams() -> Vec<Workload> {
    let mut all = Vec::new();
    for transport in ["tcp", "ipc", "inproc"] {
        for (label, size) in SIZES.into_iter().skip(1).chain([("1 MiB", 1 << 20)]) {
            for api in ["msg", "buf"] {
                if size > 65_536 && (transport != "tcp" || api != "msg") {
                    continue;
                }
                let goal = match (transport, size) {
                    ("inproc", 64) => 4.0,
                    (_, 64) => 2.5,
                    ("tcp", 1024) => 1.8,
                    ("tcp", _) => 1.3,
                    _ => 1.0,
                };
                let calls = if api == "msg" { "zmq_msg_send" } else { "zmq_send" };
                all.push(Workload::new(
                    format!("PUSH/PULL {transport} {label} {calls}"),
                    &format!("throughput transport={transport} size={size} api={api}"),
                    Measure::Rate,
                    goal,
                ));
            }
        }
    }
    for (label, size, goal) in [("64 B", 64, 3.0), ("64 KiB", 65_536, 1.5)] {
        all.push(Workload::new(
            format!("PUSH/PULL tcp {label} CURVE"),
            &format!("throughput size={size} api=msg curve=1"),
            Measure::Rate,
            goal,
        ));
    }
    all.push(Workload::new(
        "PUSH/PULL tcp 64 B, both cores busy",
        "throughput size=64 api=msg busy=2",
        Measure::Rate,
        1.0,
    ));
    all
}

fn several_peers() -> Vec<Workload> {
    let rate =
        |name: &str, arguments: &str, goal| Workload::new(name, arguments, Measure::Rate, goal);
    vec![
        rate("4 PUSH to 1 PULL, tcp 64 B", "throughput peers=4 api=msg", 2.0),
        rate("PUB to 8 SUB, tcp 64 B, delivered", "pubsub peers=8", 2.0),
        rate("PUB to 1 SUB, 10 000 subscriptions, tcp 64 B", "subscriptions peers=10000", 1.5),
        rate("ROUTER echo, 100 DEALERs, tcp 64 B", "router peers=100", 2.0),
        rate("proxy PULL/PUSH, tcp 64 B", "proxy api=msg", 2.0),
        rate("connect + handshake + round trip, tcp", "connect", 1.5),
        Workload::new(
            "memory of an idle connection, server side",
            "idle peers=1000",
            Measure::Memory,
            0.3,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    #[test]
    fn names_differ() {
        let all = super::all();
        let names: HashSet<_> = all.iter().map(|workload| &workload.name).collect();
        assert_eq!(names.len(), all.len());
    }
}
