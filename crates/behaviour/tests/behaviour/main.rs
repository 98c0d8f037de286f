//! What a libzmq does, seen through the C interface alone: one module per area.
//!
//! Every case passes on the reference library and on ours (see the crate's documentation for how
//! the library is chosen).

/// Declares a test once for each of the three transports.
macro_rules! on_transports {
    ($(#[doc = $doc:expr])* fn $name:ident($transport:ident) $body:block) => {
        mod $name {
            use super::*;

            $(#[doc = $doc])*
            fn case($transport: Transport) $body

            #[test]
            fn inproc() {
                case(Transport::Inproc);
            }

            #[test]
            fn ipc() {
                case(Transport::Ipc);
            }

            #[test]
            fn tcp() {
                case(Transport::Tcp);
            }
        }
    };
}

mod context;
mod endpoints;
mod high_water_mark;
mod hostile;
mod messages;
mod metadata;
mod monitor_events;
mod monitoring;
mod option_table;
mod options;
mod pair;
mod peer;
mod pipeline;
mod polling;
mod proxies;
mod pubsub;
mod reconnect_stop;
mod rep_peers;
mod request_reply;
mod router_dealer;
mod security_events;
mod security_keys;
mod security_options;
mod security_raw_peers;
mod security_zap;
mod security_zap_replies;
mod set_table;
mod signals;
mod socks;
mod stream;
mod threads;
mod timeouts;
mod transport_options;
mod utilities;
mod warden;
mod xpubsub;
