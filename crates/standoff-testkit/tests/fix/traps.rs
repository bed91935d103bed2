//! What must not be moved.

use super::common::Lab;
use super::{SHIFT, compiled, fix, patches, refused, trapped};

/// Each of two ranks does this.
pub fn pair(body: &str) -> String {
    format!(
        "from array import array\nfrom mpi4py import MPI\ncomm = MPI.COMM_WORLD\npeer = 1 - comm.rank\n{body}"
    )
}

pub fn value_received(lab: &Lab) {
    let body = "got = comm.recv(source=peer)\ncomm.send(got, dest=peer)\n";
    trapped(lab, "trap.py", &pair(body), "`got` is needed in this order");
}

pub fn token(lab: &Lab) {
    let body = "token = comm.recv(source=peer)\ntoken += 1\ncomm.send(token, dest=peer)\n";
    trapped(
        lab,
        "trap.py",
        &pair(body),
        "`token` is needed in this order",
    );
}

pub fn view(lab: &Lab) {
    let body = "u = array('i', [0] * 4)\nedge = memoryview(u)\ncomm.Recv(u, source=peer)\ncomm.Send(edge, dest=peer)\n";
    trapped(lab, "trap.py", &pair(body), "may be the same memory");
}

pub fn output_between(lab: &Lab) {
    let body = "got = comm.recv(source=peer)\nprint('mine comes after')\ncomm.send(1, dest=peer)\n";
    trapped(
        lab,
        "trap.py",
        &pair(body),
        "`print()` in line 6 may do anything",
    );
}

pub fn destination_received(lab: &Lab) {
    let body = "job = comm.recv(source=peer)\ncomm.send('done', dest=job['reply'])\n";
    trapped(lab, "trap.py", &pair(body), "`job` is needed in this order");
}

pub fn property(lab: &Lab) {
    let body = "\
class Node:
    @property
    def total(self):
        return self.got + 1
    def step(self):
        self.got = comm.recv(source=peer)
        comm.send(self.total, dest=peer)
Node().step()
";
    trapped(
        lab,
        "trap.py",
        &pair(body),
        "may be computed when it is read",
    );
}

pub fn parameter(lab: &Lab) {
    let body = "\
def swap(a, b):
    comm.Recv(a, source=peer)
    comm.Send(b, dest=peer)
u = array('i', [0] * 4)
swap(u, u)
";
    trapped(
        lab,
        "trap.py",
        &pair(body),
        "`a` and `b` may be the same memory",
    );
}

pub fn in_c(lab: &Lab) {
    let source = SHIFT.replace(
        "shift(MPI_COMM_WORLD, edge, ghost)",
        "shift(MPI_COMM_WORLD, ghost, ghost)",
    );
    let program = compiled(lab, &source);
    fix(lab, "2", "2", &program).expect(99, &["deadlock"]);
    assert_eq!(patches(lab), []);
    assert!(
        refused(lab).contains("may be the same memory"),
        "{}",
        refused(lab)
    );
}
