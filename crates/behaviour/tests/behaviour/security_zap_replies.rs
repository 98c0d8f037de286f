//! What each reply of a handler does (RFC 27), good or bad, with each mechanism: whether data flows,
//! and what monitors are told on both sides.

use crate::warden::{LET_IN, Mechanism, Scene, first_outcome, on_mechanisms, property, reply_with};
use aught_behaviour::consts::*;

/// Answers the first request with `reply`: the server says that it was malformed, and the client,
/// whose connection ends, tries again.
#[track_caller]
fn malformed(mechanism: Mechanism, reply: &[&[u8]], code: i32) {
    let scene = Scene::new(mechanism).domain().handler(REP);
    // The reference sometimes leaves it to this timer to end a connection that failed.
    scene.server.set(HANDSHAKE_IVL, 2000).expect("HANDSHAKE_IVL");
    scene.start();
    scene.answer(reply);
    scene.expect_refused(EVENT_HANDSHAKE_FAILED_PROTOCOL, code);
    scene.server_told.wait(EVENT_DISCONNECTED);
    assert_eq!(first_outcome(&scene.client_told).0, EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    scene.client_told.wait(EVENT_CONNECT_RETRIED);
}

/// The same from a ROUTER, which writes the delimiter itself.
#[track_caller]
fn malformed_by_router(mechanism: Mechanism, reply: &[&[u8]], code: i32) {
    let scene = Scene::new(mechanism).domain().handler(ROUTER);
    scene.start();
    let mut frames = vec![scene.request().swap_remove(0)];
    frames.extend(reply.iter().map(|frame| frame.to_vec()));
    scene.the_handler().send_all(&frames).expect("a reply");
    scene.expect_refused(EVENT_HANDSHAKE_FAILED_PROTOCOL, code);
}

/// Answers the first request with a status: both sides are told.
#[track_caller]
fn denied(mechanism: Mechanism, status: &[u8], code: i32) {
    let scene = Scene::new(mechanism).domain().handler(REP);
    scene.start();
    scene.answer(&[b"1.0", b"1", status, b"because", b"", b""]);
    scene.expect_refused(EVENT_HANDSHAKE_FAILED_AUTH, code);
    scene.server_told.wait(EVENT_DISCONNECTED);
    scene.expect_client_told(EVENT_HANDSHAKE_FAILED_AUTH, code);
    scene.client_told.wait(EVENT_DISCONNECTED);
}

on_mechanisms! {
    fn status_200_lets_in(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        scene.answer(&LET_IN);
        scene.expect_in();
    }
}

on_mechanisms! {
    fn status_400_is_told_on_both_sides(mechanism) {
        denied(mechanism, b"400", 400);
    }
}

on_mechanisms! {
    fn status_500_is_told_on_both_sides(mechanism) {
        denied(mechanism, b"500", 500);
    }
}

on_mechanisms! {
    /// "Temporary error": the client is not told, and tries again once its connection has ended.
    fn status_300_is_told_to_the_server_alone(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.server.set(HANDSHAKE_IVL, 200).expect("HANDSHAKE_IVL");
        scene.start();
        scene.answer(&reply_with(2, b"300"));
        scene.expect_refused(EVENT_HANDSHAKE_FAILED_AUTH, 300);
        scene.server_told.wait(EVENT_DISCONNECTED);
        assert_eq!(first_outcome(&scene.client_told).0, EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        // The second attempt is let in.
        let mut requests = 0;
        while scene.server.poll(POLLIN, 0) == 0 {
            assert!(requests < 100, "no attempt succeeds");
            scene.answer(&LET_IN);
            requests += 1;
            scene.server.poll(POLLIN, 300);
        }
        scene.server.expect("knock");
    }
}

on_mechanisms! {
    /// A user id and metadata change nothing about a denial.
    fn a_denial_is_one_whatever_else_it_says(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        let metadata = property("X-Status", "200");
        scene.answer(&[b"1.0", b"1", b"400", b"OK", b"root", &metadata]);
        scene.expect_refused(EVENT_HANDSHAKE_FAILED_AUTH, 400);
        scene.expect_client_told(EVENT_HANDSHAKE_FAILED_AUTH, 400);
    }
}

on_mechanisms! {
    fn other_status_codes_are_invalid(mechanism) {
        for status in [&b""[..], b"20", b"2000", b"201", b"100", b"302", b"600", b"2ab", b"abc"] {
            malformed(mechanism, &reply_with(2, status), PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE);
        }
    }
}

on_mechanisms! {
    fn other_versions_are_refused(mechanism) {
        for version in [&b""[..], b"1", b"1.1", b"2.0", b"1.00"] {
            malformed(mechanism, &reply_with(0, version), PROTOCOL_ERROR_ZAP_BAD_VERSION);
        }
    }
}

on_mechanisms! {
    fn other_request_ids_are_refused(mechanism) {
        for id in [&b""[..], b"0", b"2", b"11"] {
            malformed(mechanism, &reply_with(1, id), PROTOCOL_ERROR_ZAP_BAD_REQUEST_ID);
        }
    }
}

on_mechanisms! {
    fn other_numbers_of_frames_are_malformed(mechanism) {
        for count in [1, 2, 5, 7, 8, 20] {
            let frames: Vec<&[u8]> = LET_IN.iter().copied().cycle().take(count).collect();
            malformed(mechanism, &frames, PROTOCOL_ERROR_ZAP_MALFORMED_REPLY);
        }
    }
}

on_mechanisms! {
    fn bad_metadata_is_refused(mechanism) {
        let good = property("X-a", "b");
        let cut = &good[..good.len() - 2];
        let longer = b"\x03X-a\0\0\0\x09b";
        let behind = [&good[..], b"\0"].concat();
        for metadata in [&b"xx"[..], b"\x06X-a", cut, longer, &behind] {
            malformed(mechanism, &reply_with(5, metadata), PROTOCOL_ERROR_ZAP_INVALID_METADATA);
        }
        // Also where nobody is let in.
        let denial = [&b"1.0"[..], b"1", b"400", b"", b"", b"xx"];
        malformed(mechanism, &denial, PROTOCOL_ERROR_ZAP_INVALID_METADATA);
    }
}

on_mechanisms! {
    /// A type that does not go with the server's is no type of its peer.
    fn metadata_may_not_contradict_the_socket_type(mechanism) {
        for kind in ["PUB", "NONSENSE"] {
            let metadata = property("Socket-Type", kind);
            malformed(mechanism, &reply_with(5, &metadata), PROTOCOL_ERROR_ZAP_INVALID_METADATA);
        }
    }
}

on_mechanisms! {
    /// Of several faults, the first one in the order of the frames is told.
    fn the_first_fault_is_told(mechanism) {
        let all = [&b"2.0"[..], b"9", b"no", b"", b"", b"xx"];
        malformed(mechanism, &all[..5], PROTOCOL_ERROR_ZAP_MALFORMED_REPLY);
        malformed(mechanism, &all, PROTOCOL_ERROR_ZAP_BAD_VERSION);
        let id = [&b"1.0"[..], b"9", b"no", b"", b"", b"xx"];
        malformed(mechanism, &id, PROTOCOL_ERROR_ZAP_BAD_REQUEST_ID);
        let status = [&b"1.0"[..], b"1", b"no", b"", b"", b"xx"];
        malformed(mechanism, &status, PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE);
    }
}

on_mechanisms! {
    fn a_router_must_send_the_delimiter(mechanism) {
        let no_delimiter = LET_IN;
        malformed_by_router(mechanism, &no_delimiter, PROTOCOL_ERROR_ZAP_MALFORMED_REPLY);
        let mut two = vec![&b""[..], b""];
        two.extend(LET_IN);
        malformed_by_router(mechanism, &two, PROTOCOL_ERROR_ZAP_MALFORMED_REPLY);
        malformed_by_router(mechanism, &[b""], PROTOCOL_ERROR_ZAP_MALFORMED_REPLY);
        let mut full = vec![&b"x"[..]];
        full.extend(LET_IN);
        malformed_by_router(mechanism, &full, PROTOCOL_ERROR_ZAP_UNSPECIFIED);
    }
}

on_mechanisms! {
    /// The first reply counts.
    fn a_second_reply_changes_nothing(mechanism) {
        for (first, second, is_in) in [(b"200", b"400", true), (b"400", b"200", false)] {
            let scene = Scene::new(mechanism).domain().handler(ROUTER);
            scene.client.set(RECONNECT_IVL, -1).expect("RECONNECT_IVL");
            scene.start();
            let envelope = scene.request()[..2].to_vec();
            for status in [first, second] {
                let mut reply = envelope.clone();
                reply.extend(reply_with(2, status).iter().map(|frame| frame.to_vec()));
                scene.the_handler().send_all(&reply).expect("a reply");
            }
            if is_in {
                scene.expect_in();
                scene.client.send("again").expect("send");
                scene.server.expect("again");
            } else {
                scene.expect_refused(EVENT_HANDSHAKE_FAILED_AUTH, 400);
            }
        }
    }
}

on_mechanisms! {
    fn a_long_status_text_is_no_fault(mechanism) {
        let scene = Scene::new(mechanism).domain().handler(REP);
        scene.start();
        scene.answer(&reply_with(3, &[b't'; 70_000]));
        scene.expect_in();
    }
}
