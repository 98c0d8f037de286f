//! PUSH and PULL (RFC 30): a ventilator deals work out, workers do it, a sink collects the results
//! and then ends the workers with a signal on a PUB.

use std::time::Instant;

use aught::{Context, Error, Poller};

use super::{CALL, Outcome, RoleArgs, Tell, body, read_body};
use crate::cmd::Failure;

/// Bodies begin with one of these.
const CALLS: u8 = b'c';
const WORK: u8 = b'#';
const LEAVES: u8 = b'l';

/// Deals `count` tasks out, once all workers have joined in. Binds a PUSH for the work, and a PULL
/// for workers to join in.
pub(super) fn ventilator(
    args: &RoleArgs,
    context: &Context,
    tell: Tell<'_>,
) -> Result<Outcome, Failure> {
    let work = context.push()?;
    let join = context.pull()?;
    tell(args.bind_all(&[work.as_socket(), join.as_socket()])?);
    let mut joined = 0;
    while joined < args.peers {
        // A worker that was called twice ignores it. With nobody there, there is nobody to call.
        match work.try_send(&body(CALLS, 0)).map_err(Error::from) {
            Ok(()) | Err(Error::WouldBlock) => {}
            Err(error) => return Err(error.into()),
        }
        match join.as_socket().recv_timeout(CALL) {
            Ok(_) => joined += 1,
            Err(Error::WouldBlock) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let begun = Instant::now();
    for task in 0..args.count {
        work.send(&body(WORK, task))?;
    }
    Ok(Outcome { sent: args.count, time: begun.elapsed(), ..Outcome::default() })
}

/// Passes each task on as its result. Connects to the ventilator's work and its PULL, then to the
/// sink's PULL and its PUB.
pub(super) fn worker(args: &RoleArgs, context: &Context) -> Result<Outcome, Failure> {
    let work = context.pull()?;
    let join = context.push()?;
    let results = context.push()?;
    let control = context.subscriber()?;
    control.subscribe("")?;
    control.connect(args.to_connect(3)?)?;
    results.connect(args.to_connect(2)?)?;
    join.connect(args.to_connect(1)?)?;
    work.connect(args.to_connect(0)?)?;

    let mut poller = Poller::new();
    let work_index = poller.add(work.as_socket(), Poller::IN);
    let control_index = poller.add(control.as_socket(), Poller::IN);
    let mut outcome = Outcome::default();
    let mut joined = false;
    loop {
        poller.wait(None)?;
        if poller.is_readable(work_index) {
            let task = work.recv()?;
            match read_body(task.first())?.0 {
                CALLS if joined => {}
                CALLS => {
                    join.send("here")?;
                    joined = true;
                }
                _ => {
                    outcome.received += 1;
                    results.send(task)?;
                    outcome.sent += 1;
                }
            }
        } else if poller.is_readable(control_index) {
            results.send(&body(LEAVES, args.number))?;
            return Ok(outcome);
        }
    }
}

/// Collects `count` results, each task's exactly once, then sends the signal until all workers
/// have left. Binds a PULL for the results and a PUB for the signal.
pub(super) fn sink(args: &RoleArgs, context: &Context, tell: Tell<'_>) -> Result<Outcome, Failure> {
    let results = context.pull()?;
    let control = context.publisher()?;
    tell(args.bind_all(&[results.as_socket(), control.as_socket()])?);

    let mut seen = vec![false; usize::try_from(args.count)?];
    let mut begun = None;
    let mut outcome = Outcome::default();
    while outcome.received < args.count {
        let (sign, task) = read_body(results.recv()?.first())?;
        begun.get_or_insert_with(Instant::now);
        let known = seen.get_mut(usize::try_from(task)?).ok_or("a task that nobody gave out")?;
        if sign != WORK || std::mem::replace(known, true) {
            return Err(format!("task {task} came twice").into());
        }
        outcome.received += 1;
    }
    outcome.time = begun.map(|begun| begun.elapsed()).unwrap_or_default();

    let mut left = 0;
    while left < args.peers {
        // What a worker's subscription is too late for, the next round brings.
        control.send("kill")?;
        loop {
            match results.as_socket().recv_timeout(CALL) {
                Ok(message) if read_body(message.first())?.0 == LEAVES => left += 1,
                Ok(message) => return Err(format!("{message:?} after the last task").into()),
                Err(Error::WouldBlock) => break,
                Err(error) => return Err(error.into()),
            }
            if left == args.peers {
                break;
            }
        }
    }
    Ok(outcome)
}
