//! Sends that are waited for later.

mod common;

use common::{patched, proposal};
use standoff_fix::Language::Python;
use standoff_fix::Repair;

#[test]
fn sends_of_a_loop() {
    let source = "\
if comm.rank == 0:
    for task in range(6):
        comm.send(task, dest=1)  # @stuck 0
    log(6)
    results = [comm.recv(source=1) for task in range(6)]  # all
    print(results)
";
    let expected = "\
if comm.rank == 0:
    requests = []
    for task in range(6):
        requests.append(comm.isend(task, dest=1))  # @stuck 0
    log(6)
    results = [comm.recv(source=1) for task in range(6)]  # all
    for request in requests:
        request.wait()
    print(results)
";
    assert_eq!(patched(Python, source, Repair::Nonblocking), [expected]);
}

/// Ranks that send nothing have a list, too.
#[test]
fn sends_of_some_ranks() {
    let source = "\
request = None
if comm.rank == 0:
    for rank in range(comm.size):
        comm.send(rows[rank], dest=rank)  # @stuck 0
share = comm.recv(source=0)
";
    let expected = "\
request = None
requests = []
if comm.rank == 0:
    for rank in range(comm.size):
        requests.append(comm.isend(rows[rank], dest=rank))  # @stuck 0
share = comm.recv(source=0)
for request_2 in requests:
    request_2.wait()
";
    assert_eq!(patched(Python, source, Repair::Nonblocking), [expected]);
}

#[test]
fn one_send_and_another_communicator() {
    let source = "comm.send(a, dest=1)  # @stuck 0\nstore(a)\nb = other.recv(source=1)\n";
    let expected = "request = comm.isend(a, dest=1)  # @stuck 0\nstore(a)\nb = other.recv(source=1)\nrequest.wait()\n";
    assert_eq!(patched(Python, source, Repair::Nonblocking), [expected]);
}

#[track_caller]
fn left_alone(source: &str) {
    let made = patched(Python, source, Repair::Nonblocking);
    assert_eq!(made, Vec::<String>::new());
}

/// An array may be overwritten before it has left; `ssend` waits because somebody wants it to.
#[test]
fn buffers_and_synchronous_sends() {
    for call in ["comm.Send", "comm.ssend", "comm.Ssend"] {
        left_alone(&format!(
            "for n in range(6):\n    {call}(a, dest=1)  # @stuck 0\nb = comm.recv(source=1)\n"
        ));
    }
}

/// The wait would be left out.
#[test]
fn leaves_before_the_wait() {
    let source = "\
def farm(comm, tasks):
    for task in tasks:
        if task is None:
            return None
        comm.send(task, dest=1)  # @stuck 0
    return comm.recv(source=1)
";
    left_alone(source);
    let said = proposal(Python, source).refused.join("\n");
    assert!(said.contains("line 2 may leave the block"), "{said}");
}

/// There is nothing that would release it.
#[test]
fn nothing_follows() {
    left_alone("for n in range(6):\n    comm.send(n, dest=1)  # @stuck 0\ncomm.send(0, dest=2)\n");
}
